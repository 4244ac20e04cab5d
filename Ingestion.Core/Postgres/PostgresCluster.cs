using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Ingestion.Core.Postgres;

/// <summary>
/// Makes the cluster's files and brings its server up, from whatever state the last run left: nothing, half an initdb, a clean stop, a
/// crash, or a server that outlived its app.
/// </summary>
internal sealed class PostgresCluster(
    PostgresBinaries binaries, ServerDirectory directory, ServerAccount account, EmbeddedPostgresOptions options, ILogger logger, TimeProvider time)
{
    /// <summary>The role that initdb makes; used for provisioning alone.</summary>
    public const string Superuser = "postgres";

    private const int SocketPort = 5432;
    private const int Attempts = 6;
    private const long LogLimit = 10 * 1024 * 1024;
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);
    /// <summary>Recovery after a crash replays the log, which on a slow disk takes its time. A server that has ended is noticed at once.</summary>
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromMinutes(5);

    private int? _tcpPort = options.TcpPort is 0 ? null : options.TcpPort;

    /// <summary>The port that names the socket, and on 127.0.0.1 where TCP is on.</summary>
    public int Port => _tcpPort ?? SocketPort;

    /// <summary>Returns when the server takes connections.</summary>
    /// <exception cref="EmbeddedPostgresException">It does not start; the message holds the end of its log.</exception>
    public async Task<Lifeline> StartAsync(CancellationToken ct)
    {
        await InitialiseAsync(ct);
        await ClearRemainsAsync(ct);
        await WriteHostAccessAsync(ct);
        await RotateLogAsync(ct);
        for (var attempt = 1; ; attempt++)
        {
            if (options.TcpPort is 0 && _tcpPort is null)
                _tcpPort = FreePort();
            var logged = new FileInfo(directory.Log).Length;
            var lifeline = Lifeline.Start(account, ServerCommand(), directory.Log);
            try
            {
                if (await IsReadyAsync(lifeline, ct))
                    return lifeline;
            }
            catch
            {
                await StopAsync(lifeline);
                throw;
            }

            await StopAsync(lifeline);
            var log = await ReadLogAsync(logged);
            var portTaken = log.Contains("Address already in use", StringComparison.Ordinal);
            // The backends of a killed server hold its shared memory until they notice, a moment later.
            var mayPass = portTaken || log.Contains("still in use", StringComparison.Ordinal);
            if (!mayPass || attempt == Attempts)
                throw new EmbeddedPostgresException($"The PostgreSQL server on {directory.Data} does not start. The end of {directory.Log}:\n{log}");
            if (portTaken && options.TcpPort is 0)
                _tcpPort = null;
            await Task.Delay(attempt * TimeSpan.FromMilliseconds(300), time, ct);
        }
    }

    /// <summary>A fast shutdown; an immediate one, which recovery puts right at the next start, where that takes too long.</summary>
    public async Task StopAsync(Lifeline lifeline)
    {
        using (lifeline)
        {
            if (!await lifeline.StopAsync(StopLimit, time))
                await StopAsync("immediate", CancellationToken.None);
        }
    }

    private async Task InitialiseAsync(CancellationToken ct)
    {
        if (Directory.Exists(directory.Data))
            return;
        if (Directory.Exists(directory.Unfinished))
            Directory.Delete(directory.Unfinished, recursive: true);
        await account.CreatePrivateDirectoryAsync(directory.Unfinished, ct);
        await account.RunAsync(
            [
                binaries.Initdb, "-D", directory.Unfinished, "-U", Superuser, "-E", "UTF8", "--locale=C.UTF-8",
                "--auth-local=trust", "--auth-host=scram-sha-256", "--data-checksums", "--no-instructions",
                .. options.Fast ? ["--no-sync"] : Array.Empty<string>(),
            ], ct);
        Directory.Move(directory.Unfinished, directory.Data);
        Log.PostgresInitialised(logger, directory.Data, binaries.Major);
    }

    /// <summary>
    /// Stops a server that outlived its app: started with other settings perhaps, and without a lifeline to us. Removes a pid file whose
    /// number another process has by now; one of a dead process is left to the server, which knows better what it may ignore.
    /// </summary>
    private async Task ClearRemainsAsync(CancellationToken ct)
    {
        if (Postmaster.Find(directory.Data) is { } orphan)
        {
            Log.PostgresOrphanStopped(logger, directory.Data, orphan.Pid);
            await StopAsync("fast", ct);
            if (Postmaster.Find(directory.Data) is { } left)
                throw new EmbeddedPostgresException($"A PostgreSQL server of an earlier run (process {left.Pid}) still runs on {directory.Data} and does not stop. End that process, then start again.");
        }
        else if (Postmaster.PidFileNamesStranger(directory.Data))
        {
            File.Delete(Postmaster.PidFile(directory.Data));
        }

        // A socket's lock file names a process too, and is refused on the same grounds.
        foreach (var file in Directory.GetFiles(directory.Socket))
            File.Delete(file);
    }

    /// <summary>The outcome is read from the process table, not from the exit code: the server may be on its way out already.</summary>
    private async Task StopAsync(string mode, CancellationToken ct) =>
        await ChildProcess.RunAsync(
            account.Command(binaries.PgCtl, "stop", "-D", directory.Data, "-m", mode, "-w", "-t", StopLimit.TotalSeconds.ToString(CultureInfo.InvariantCulture)), ct);

    private async Task WriteHostAccessAsync(CancellationToken ct)
    {
        // Trust is safe on the socket: its directory is closed to all but the server's user and root.
        var rules = "local all all trust\n" + (options.TcpPort is null ? "" : $"host all {PostgresRoles.App} 127.0.0.1/32 scram-sha-256\n");
        await File.WriteAllTextAsync(directory.HostAccess, rules, ct);
        await account.TakeAsync(directory.HostAccess, ct);
    }

    private async Task RotateLogAsync(CancellationToken ct)
    {
        var log = new FileInfo(directory.Log);
        if (log.Exists && log.Length > LogLimit)
            log.MoveTo(directory.Log + ".1", overwrite: true);
        await using (File.Open(directory.Log, FileMode.Append))
        {
        }

        ServerAccount.SetMode(directory.Log, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await account.TakeAsync(directory.Log, ct);
    }

    private IEnumerable<string> ServerCommand()
    {
        var settings = new Dictionary<string, string>
        {
            ["listen_addresses"] = options.TcpPort is null ? "" : "127.0.0.1",
            ["port"] = Port.ToString(CultureInfo.InvariantCulture),
            ["unix_socket_directories"] = directory.Socket,
            ["unix_socket_permissions"] = "0700",
            ["hba_file"] = directory.HostAccess,
            ["max_connections"] = options.MaxConnections.ToString(CultureInfo.InvariantCulture),
            ["shared_buffers"] = options.SharedBuffers,
            ["timezone"] = "UTC",
            ["log_timezone"] = "UTC",
            ["log_line_prefix"] = "%m [%p] ",
            // Neither a statement nor an error's detail is logged: both can hold a document's text.
            ["log_min_error_statement"] = "panic",
            ["log_error_verbosity"] = "terse",
        };
        if (options.Fast)
        {
            foreach (var setting in (string[])["fsync", "full_page_writes", "synchronous_commit"])
                settings[setting] = "off";
        }

        return [binaries.Postgres, "-D", directory.Data, .. settings.SelectMany(s => (string[])["-c", $"{s.Key}={s.Value}"])];
    }

    private async Task<bool> IsReadyAsync(Lifeline lifeline, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        while (!lifeline.Ended.IsCompleted && time.GetElapsedTime(started) < ReadyLimit)
        {
            if (Postmaster.Find(directory.Data) is { IsReady: true })
                return true;
            await Task.Delay(PollInterval, time, ct);
        }

        return false;
    }

    private async Task<string> ReadLogAsync(long from)
    {
        await using var log = File.OpenRead(directory.Log);
        log.Position = Math.Max(from, log.Length - 4096);
        using var reader = new StreamReader(log);
        return (await reader.ReadToEndAsync()).Trim();
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
