using System.Globalization;
using System.Runtime.InteropServices;

namespace Ingestion.Benchmarks;

/// <summary>What the machine is and how busy others keep it: without that a figure says nothing.</summary>
internal static class Machine
{
    public static string Describe()
    {
        var model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown processor";
        var memory = File.ReadLines("/proc/meminfo").First().Split(':', 2)[1].Trim();
        var load = File.ReadAllText("/proc/loadavg").Split(' ')[0];
        return $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm} UTC · {Environment.ProcessorCount} × {model}, {memory} · {RuntimeInformation.OSDescription} · {RuntimeInformation.FrameworkDescription}"
            + $" · load {load} at the start{(Optimized ? "" : " · DEBUG BUILD: the figures mean nothing")}";
    }

    /// <summary>Processor time that everything on the machine has used since its start; time stolen by other machines counts as used.</summary>
    public static TimeSpan Busy()
    {
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(f => long.Parse(f, CultureInfo.InvariantCulture)).ToArray();
        // user, nice, system, irq, softirq, steal; 3 and 4 are idle and waiting for disks
        return Ticks(fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7]);
    }

    // USER_HZ is 100 on every Linux that .NET runs on.
    public static TimeSpan Ticks(long ticks) => TimeSpan.FromMilliseconds(ticks * 10);

    private static bool Optimized =>
#if DEBUG
        false;
#else
        true;
#endif
}
