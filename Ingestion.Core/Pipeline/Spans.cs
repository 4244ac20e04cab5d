using System.Globalization;

namespace Ingestion.Core.Pipeline;

/// <summary>Spans of time as people read them.</summary>
public static class Spans
{
    /// <summary>192 s → <c>3 m 12 s</c>: the two largest units. Below ten seconds one decimal, below a second milliseconds.</summary>
    public static string Short(TimeSpan time)
    {
        time = time < TimeSpan.Zero ? TimeSpan.Zero : time;
        if (time.TotalMilliseconds < 999.5) return Invariant($"{time.TotalMilliseconds:0} ms");
        if (time.TotalSeconds < 9.95) return Invariant($"{time.TotalSeconds:0.#} s");
        var whole = TimeSpan.FromSeconds(Math.Round(time.TotalSeconds));
        return whole switch
        {
            { TotalMinutes: < 1 } => Invariant($"{whole.Seconds} s"),
            { TotalHours: < 1 } => Two(whole.Minutes, "m", whole.Seconds, "s"),
            { TotalDays: < 1 } => Two(whole.Hours, "h", whole.Minutes, "m"),
            _ => Two(whole.Days, "d", whole.Hours, "h"),
        };
    }

    /// <summary><c>in 12 s</c>; <c>now</c> for what is due.</summary>
    public static string In(TimeSpan left) => left.TotalSeconds < 1 ? "now" : $"in {Short(TimeSpan.FromSeconds(Math.Ceiling(left.TotalSeconds)))}";

    /// <summary><c>about 34 minutes</c>: a guess to the second would claim too much.</summary>
    public static string About(TimeSpan time) => time switch
    {
        { TotalSeconds: < 45 } => "less than a minute",
        { TotalMinutes: < 90 } => $"about {Count(time.TotalMinutes, "minute")}",
        { TotalHours: < 36 } => $"about {Count(time.TotalHours, "hour")}",
        _ => $"about {Count(time.TotalDays, "day")}",
    };

    /// <summary><c>30 to 45 minutes</c>; one figure where both ends read the same.</summary>
    public static string Range(TimeSpan least, TimeSpan most)
    {
        if (About(least) == About(most)) return About(most);
        var (unit, size) = most switch
        {
            { TotalMinutes: < 90 } => ("minute", TimeSpan.FromMinutes(1)),
            { TotalHours: < 36 } => ("hour", TimeSpan.FromHours(1)),
            _ => ("day", TimeSpan.FromDays(1)),
        };
        var (low, high) = ((long)Math.Floor(least / size), (long)Math.Ceiling(most / size));
        return low == 0 ? $"up to {Count(high, unit)}" : Invariant($"{low:#,0} to {high:#,0} {unit}s");
    }

    private static string Count(double number, string unit) => Math.Max(1, (long)Math.Round(number)) is var n && n == 1 ? $"1 {unit}" : Invariant($"{n:#,0} {unit}s");

    private static string Two(int large, string largeUnit, int small, string smallUnit) =>
        small == 0 ? Invariant($"{large} {largeUnit}") : Invariant($"{large} {largeUnit} {small} {smallUnit}");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
