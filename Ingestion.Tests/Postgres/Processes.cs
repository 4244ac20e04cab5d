using System.Diagnostics;
using System.Globalization;
using Shouldly;

namespace Ingestion.Tests.Postgres;

/// <summary>Looks at, kills and awaits the processes of a server that the test started itself.</summary>
internal static class Processes
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static int Postmaster(string dataDirectory) =>
        int.Parse(File.ReadLines(Path.Combine(dataDirectory, "postgres", "data", "postmaster.pid")).First(), CultureInfo.InvariantCulture);

    public static int Parent(int pid) => int.Parse(Status(pid)!.Split(' ')[1], CultureInfo.InvariantCulture);

    public static IEnumerable<int> Children(int pid) => Directory.GetDirectories("/proc")
        .Select(d => int.TryParse(Path.GetFileName(d), out var child) ? child : 0)
        .Where(child => child > 0 && Status(child)?.Split(' ')[1] == pid.ToString(CultureInfo.InvariantCulture));

    /// <summary>True where a signal stopped it and it waits to be continued.</summary>
    public static bool IsStopped(int pid) => Status(pid)?.StartsWith('T') == true;

    /// <summary>All with one call, so that none has time to react to the death of another.</summary>
    public static async Task KillAsync(params IEnumerable<int> pids)
    {
        var all = pids.ToList();
        using var kill = Process.Start("kill", ["-9", .. all.Select(p => p.ToString(CultureInfo.InvariantCulture))]);
        await kill.WaitForExitAsync();
        kill.ExitCode.ShouldBe(0);
        foreach (var pid in all)
            await EndedAsync(pid);
    }

    /// <summary>Sends a signal by its name, such as <c>QUIT</c>.</summary>
    public static async Task SignalAsync(int pid, string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", pid.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Waits for a process that is not ours; a zombie nobody reaps counts as ended.</summary>
    public static async Task EndedAsync(int pid)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var watch = Stopwatch.StartNew(); Status(pid) is { } status && status[0] != 'Z'; await timer.WaitForNextTickAsync())
            watch.Elapsed.ShouldBeLessThan(Limit, $"process {pid} still runs");
    }

    /// <summary>State and parent, as in <c>S 123</c>; null where there is no such process.</summary>
    private static string? Status(int pid)
    {
        try
        {
            // The name in the second field may hold blanks and parentheses; the fields after its last one do not.
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return string.Join(' ', stat[(stat.LastIndexOf(')') + 2)..].Split(' ').Take(2));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
