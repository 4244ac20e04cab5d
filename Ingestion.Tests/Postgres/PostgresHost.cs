using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using Ingestion.Core.Postgres;
using Ingestion.Tests.Postgres;
using Ingestion.Tests.Sources;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Ingestion.Tests.Postgres
{
    /// <summary>
    /// An app with an embedded server, as a process of its own: one that a test can kill, or start as another user. It is this assembly,
    /// entered by its start-up hook.
    /// </summary>
    internal sealed class PostgresHost : IAsyncDisposable
    {
        public const string DirectoryVariable = "INGESTION_TEST_POSTGRES_HOST";
        private readonly Process _process;

        private PostgresHost(Process process, string answer) => (_process, Answer) = (process, answer);

        /// <summary>What it said when it was up: the connection string, or the message of the failure.</summary>
        public string Answer { get; }

        public bool IsUp => !_process.HasExited;

        public static async Task<PostgresHost> StartAsync(string dataDirectory, params string[] prefix)
        {
            var assembly = typeof(PostgresHost).Assembly.Location;
            string[] command = [.. prefix, "dotnet", "exec", assembly];
            var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = "/" };
            start.Environment[DirectoryVariable] = dataDirectory;
            start.Environment["DOTNET_STARTUP_HOOKS"] = assembly;
            var process = Process.Start(start)!;
            return new PostgresHost(process, await process.StandardOutput.ReadLineAsync() ?? "");
        }

        public async Task KillAsync()
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        public async ValueTask DisposeAsync()
        {
            _process.StandardInput.Close();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        internal static async Task RunAsync(string dataDirectory)
        {
            try
            {
                var options = new EmbeddedPostgresOptions { DataDirectory = dataDirectory, Fast = true };
                await using var server = await EmbeddedPostgres.StartAsync(options, NullLogger<EmbeddedPostgres>.Instance);
                await Console.Out.WriteLineAsync(server.ConnectionString);
                while (await Console.In.ReadLineAsync() is not null)
                {
                }
            }
            catch (EmbeddedPostgresException e)
            {
                await Console.Out.WriteLineAsync(e.Message);
            }
        }
    }

    /// <summary>Runs where a child host can be started as the user nobody: by root, with the tests in a place that all can read.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    internal sealed class FactAsNobodyAttribute : FactAttribute
    {
        public static readonly string[] Prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"];

        public FactAsNobodyAttribute()
        {
            if (!Environment.IsPrivilegedProcess)
                Skip = "Only root can start a process as another user.";
            else if (!CanRead())
                Skip = "The tests lie where the user nobody cannot read them.";
        }

        private static bool CanRead()
        {
            string[] command = [.. Prefix, "test", "-r", Assembly.GetExecutingAssembly().Location];
            using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = "/" })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
    }
}

/// <summary>The runtime calls this by its name, before Main, where DOTNET_STARTUP_HOOKS holds this assembly.</summary>
internal static class StartupHook
{
    // Never comes back; what the process starts in its turn is not entered here again.
    private static void Run(Func<Task> host)
    {
        Environment.SetEnvironmentVariable("DOTNET_STARTUP_HOOKS", null);
        host().GetAwaiter().GetResult();
        Environment.Exit(0);
    }

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(PostgresHost.DirectoryVariable) is { } directory)
            Run(() => PostgresHost.RunAsync(directory));
        if (Environment.GetEnvironmentVariable(RebindingHost.DatabaseVariable) is { } database)
            Run(() => RebindingHost.RunAsync(database));
    }
}
