using System.Globalization;

namespace Ingestion.Admin.Components.Parts;

/// <summary>How numbers look on every page. The same value always reads the same.</summary>
public static class Format
{
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>1536 → <c>1.5 KiB</c>. Whole bytes and anything above 100 without a decimal.</summary>
    public static string Bytes(long bytes)
    {
        double value = Math.Max(0, bytes);
        var unit = 0;
        // 1023.6 KiB would be written as 1024 KiB, so it already belongs to the next unit.
        for (; value >= 1023.5 && unit < Units.Length - 1; unit++)
            value /= 1024;
        var digits = unit == 0 || value >= 99.95 ? "0" : "0.#";
        return $"{value.ToString(digits, CultureInfo.InvariantCulture)} {Units[unit]}";
    }

    /// <summary>192 s → <c>3 m 12 s</c>: the two largest units. Below ten seconds one decimal, below a second milliseconds.</summary>
    public static string Duration(TimeSpan time) => Core.Pipeline.Spans.Short(time);

    /// <summary>1240 → <c>1,240</c>.</summary>
    public static string Count(long number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary><c>1 file</c>, <c>1,240 files</c>.</summary>
    public static string Count(long number, string one, string? many = null) => $"{Count(number)} {(number == 1 ? one : many ?? one + "s")}";

    /// <summary>0.925 → <c>92.5%</c>. Only what is complete reads 100%, and only nothing reads 0%.</summary>
    public static string Percent(double share) => share switch
    {
        <= 0 or double.NaN => "0%",
        >= 1 => "100%",
        _ => Invariant($"{Math.Clamp(share * 100, 0.1, 99.9):0.#}%"),
    };

    /// <summary><c>just now</c>, <c>5 minutes ago</c>, <c>in 2 hours</c>; beyond thirty days the date.</summary>
    public static string Relative(DateTimeOffset time, DateTimeOffset now)
    {
        var ago = now - time;
        var size = ago.Duration();
        if (size < TimeSpan.FromSeconds(5))
            return "just now";
        if (size >= TimeSpan.FromDays(30))
            return time.ToString("d MMM yyyy", CultureInfo.InvariantCulture);
        var words = size switch
        {
            { TotalSeconds: < 60 } => Count((long)size.TotalSeconds, "second"),
            { TotalMinutes: < 60 } => Count((long)size.TotalMinutes, "minute"),
            { TotalHours: < 24 } => Count((long)size.TotalHours, "hour"),
            _ => Count((long)size.TotalDays, "day"),
        };
        return ago > TimeSpan.Zero ? $"{words} ago" : $"in {words}";
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
