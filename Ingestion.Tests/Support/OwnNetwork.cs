using System.Diagnostics;
using System.Text;

namespace Ingestion.Tests.Support;

/// <summary>A network of a test's own, in which every port is free: the program is started in it, and its clients join it.</summary>
internal static class OwnNetwork
{
    /// <summary>Starts what follows it in a new network that has a loopback and nothing else.</summary>
    public static readonly string[] Prefix = ["unshare", "--net", "sh", "-c", """ip link set lo up && exec "$@" """, "sh"];

    private const string NamesScript = """
        set -e
        mount --bind "$1/resolv.conf" /etc/resolv.conf
        mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
        ip link set lo up
        for address in $2; do ip route add local "$address" dev lo; done
        shift 2
        exec "$@"
        """;

    /// <summary>Why there can be none here; null where there can.</summary>
    public static string? Problem { get; } = Find(("unshare", ["--net", "true"]), ("nsenter", ["--version"]), ("ip", ["-V"]));

    /// <summary>Why there can be none with names of its own; null where there can.</summary>
    public static string? NamesProblem { get; } = FindNames();

    /// <summary>
    /// Starts what follows it in a new network that asks 127.0.0.1 for its names. The addresses lead to itself as well, and are those of no
    /// interface: what listens there is somebody else's server to a program that knows its own addresses.
    /// </summary>
    /// <param name="folder">Where the files are written that say so; it must outlive the network.</param>
    public static string[] WithNames(string folder, params string[] addresses)
    {
        File.WriteAllText(Path.Combine(folder, "resolv.conf"), "nameserver 127.0.0.1\noptions timeout:5 attempts:1\n");
        File.WriteAllText(Path.Combine(folder, "nsswitch.conf"), "hosts: files dns\n");
        return ["unshare", "--net", "--mount", "sh", "-c", NamesScript, "sh", folder, string.Join(' ', addresses)];
    }

    /// <summary>Runs a command in the network of a process to its end, or until its output holds a text; then it is killed.</summary>
    public static async Task<(int? ExitCode, string Output)> RunAsync(int process, string folder, string[] command, TimeSpan patience, string? until = null)
    {
        var start = new ProcessStartInfo("nsenter", [$"--net=/proc/{process}/ns/net", .. command]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        using var client = new Process { StartInfo = start };
        var (output, seen) = (new StringBuilder(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        void Read(object sender, DataReceivedEventArgs e)
        {
            lock (output)
            {
                output.AppendLine(e.Data);
                if (until is not null && e.Data?.Contains(until, StringComparison.Ordinal) is true) seen.TrySetResult();
            }
        }
        client.OutputDataReceived += Read;
        client.ErrorDataReceived += Read;
        client.Start();
        using var guard = new ProcessGuard(client.Id);
        client.BeginOutputReadLine();
        client.BeginErrorReadLine();
        await Task.WhenAny(client.WaitForExitAsync(), seen.Task, Task.Delay(patience));
        var ended = client.HasExited;
        if (!ended) client.Kill(entireProcessTree: true);
        await client.WaitForExitAsync();
        lock (output) return (ended ? client.ExitCode : null, output.ToString());
    }

    private static string? FindNames()
    {
        using var folder = new TemporaryDirectory();
        string[] command = [.. WithNames(folder.Path, "192.0.2.1"), "true"];
        return Find((command[0], command[1..]));
    }

    private static string? Find(params (string Command, string[] Arguments)[] probes)
    {
        foreach (var (command, arguments) in probes)
        {
            try
            {
                using var probe = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
                probe.WaitForExit();
                if (probe.ExitCode != 0) return $"A network of its own cannot be made here: {command} {arguments[0]} ends with {probe.ExitCode}.";
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return $"A network of its own cannot be made here: {command} is not installed.";
            }
        }
        return null;
    }
}
