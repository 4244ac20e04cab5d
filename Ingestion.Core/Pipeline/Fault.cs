using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Ingestion.Core.Pipeline;

/// <summary>What is to go wrong at one of <see cref="FaultPoints"/>.</summary>
internal sealed partial class Fault
{
    private readonly string _point;
    private readonly string _word;
    private readonly int? _time;
    private readonly string _action;
    private int _met;

    private Fault(string point, string word, int? time, string action) => (_point, _word, _time, _action) = (point, word, time, action);

    /// <summary>True for <c>twice</c>, which is nothing to be done but to be asked for.</summary>
    public bool Doubles => _action == "twice";

    /// <summary>Null where a part is not understood.</summary>
    public static IReadOnlyList<Fault>? Read(string text)
    {
        var faults = new List<Fault>();
        foreach (var part in text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (Form().Match(part) is not { Success: true } m) return null;
            int? time = m.Groups["time"].Value switch { "*" => null, "" => 1, var n => int.Parse(n, CultureInfo.InvariantCulture) };
            faults.Add(new(m.Groups["point"].Value, m.Groups["word"].Value, time, m.Groups["action"].Success ? m.Groups["action"].Value : "kill"));
        }
        return faults;
    }

    public bool Meets(string point, string? subject) =>
        point == _point && (_word.Length == 0 || subject?.Contains(_word, StringComparison.Ordinal) == true) && (_time is null || Interlocked.Increment(ref _met) == _time);

    public void Act()
    {
        switch (_action)
        {
            case "kill":
                using (var self = Process.GetCurrentProcess()) self.Kill();
                break;
            case "stop":
                Signal("-STOP");
                break;
            case "segv":
                // The runtime answers the first by giving up its own handler.
                Signal("-SEGV");
                Signal("-SEGV");
                break;
            case "exit":
                Environment.Exit(3);
                break;
            case "hang":
                using (var never = new ManualResetEvent(false)) never.WaitOne();
                break;
            case "overflow":
                Recurse(0);
                break;
            case "memory":
                Fill();
                break;
        }
    }

    // Returns once the signal was sent: a stopped process goes on from here when it is continued.
    private static void Signal(string name)
    {
        using var kill = Process.Start("kill", [name, Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    private static int Recurse(int depth) => depth < 0 ? depth : Recurse(depth + 1) + depth;

    // Ends in an OutOfMemoryException at the heap's limit.
    private static void Fill()
    {
        for (var kept = new List<byte[]>(); ; kept.Add(new byte[1 << 20])) kept.LastOrDefault()?.AsSpan().Fill(1);
    }

    [GeneratedRegex(@"^(?<point>[a-z_]+)(@(?<word>[^:=;]+))?(:(?<time>\*|[1-9][0-9]{0,8}))?(=(?<action>kill|stop|segv|exit|hang|overflow|memory|twice))?$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Form();
}
