using System.Diagnostics;
using System.Text;

namespace Ingestion.Tests.Support;

/// <summary>A network of a test's own, in which every port is free: the program is started in it, and its clients join it.</summary>
internal static class OwnNetwork
{
    /// <summary>Starts what follows it in a new network that has a loopback and nothing else.</summary>
    public static readonly string[] Prefix = ["unshare", "--net", "sh", "-c", """ip link set lo up && exec "$@" """, "sh"];

    /// <summary>Why there can be none here; null where there can.</summary>
    public static string? Problem { get; } = Find();

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

    private static string? Find()
    {
        foreach (var (command, arguments) in new[] { ("unshare", "--net true"), ("nsenter", "--version"), ("ip", "-V") })
        {
            try
            {
                using var probe = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
                probe.WaitForExit();
                if (probe.ExitCode != 0) return $"A network of its own cannot be made here: {command} {arguments} ends with {probe.ExitCode}.";
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return $"A network of its own cannot be made here: {command} is not installed.";
            }
        }
        return null;
    }
}
