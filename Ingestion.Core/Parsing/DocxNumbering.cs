using System.Globalization;
using System.Text;
using DocumentFormat.OpenXml.Packaging;
using DocumentFormat.OpenXml.Wordprocessing;

namespace Ingestion.Core.Parsing;

/// <summary>Counts a document's lists as Word does: a counter per abstract list and level, deeper levels starting anew.</summary>
internal sealed class DocxNumbering
{
    private const int Levels = 9;
    private readonly Dictionary<int, AbstractNum> _abstract = [];
    private readonly Dictionary<int, NumberingInstance> _instances = [];
    private readonly Dictionary<int, int?[]> _counters = [];
    private readonly HashSet<int> _started = [];

    public DocxNumbering(MainDocumentPart main)
    {
        var numbering = main.NumberingDefinitionsPart?.Numbering;
        foreach (var a in numbering?.Elements<AbstractNum>() ?? [])
            if (a.AbstractNumberId?.Value is { } id) _abstract[id] = a;
        foreach (var n in numbering?.Elements<NumberingInstance>() ?? [])
            if (n.NumberID?.Value is { } id) _instances[id] = n;
    }

    /// <summary>The next item of a list: its level from 0, and its number, or null for a bullet; label is the number as Word prints it.</summary>
    public (int Level, int? Number, string Label)? Next(NumberingProperties? properties)
    {
        if (properties?.NumberingId?.Val?.Value is not { } id || id == 0) return null;
        var level = Math.Clamp(properties.NumberingLevelReference?.Val?.Value ?? 0, 0, Levels - 1);
        if (!_instances.TryGetValue(id, out var instance) || instance.AbstractNumId?.Val?.Value is not { } abstractId || !_abstract.TryGetValue(abstractId, out var list))
            return (level, null, "");
        var counters = _counters.TryGetValue(abstractId, out var known) ? known : _counters[abstractId] = new int?[Levels];
        if (_started.Add(id))
            foreach (var restart in instance.Elements<LevelOverride>())
                if (restart.StartOverrideNumberingValue?.Val?.Value is { } from && restart.LevelIndex?.Value is >= 0 and < Levels and var at) counters[at] = from - 1;
        counters[level] = (counters[level] ?? Start(list, level) - 1) + 1;
        Array.Clear(counters, level + 1, Levels - level - 1);
        var format = Definition(list, level)?.NumberingFormat?.Val;
        if (format?.Value == NumberFormatValues.Bullet || format?.Value == NumberFormatValues.None) return (level, null, "");
        return (level, counters[level], Label(list, level, counters));
    }

    private static Level? Definition(AbstractNum list, int level) => list.Elements<Level>().FirstOrDefault(l => l.LevelIndex?.Value == level);

    private static int Start(AbstractNum list, int level) => Definition(list, level)?.StartNumberingValue?.Val?.Value ?? 1;

    private static string Label(AbstractNum list, int level, int?[] counters)
    {
        var pattern = Definition(list, level)?.LevelText?.Val?.Value ?? "";
        var result = new StringBuilder();
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] != '%' || i + 1 >= pattern.Length || pattern[i + 1] is < '1' or > '9') { result.Append(pattern[i]); continue; }
            var at = pattern[++i] - '1';
            var value = counters[at] ?? Start(list, at);
            var format = Definition(list, at)?.NumberingFormat?.Val;
            result.Append(Format(value, format?.Value));
        }
        return result.ToString();
    }

    private static string Format(int value, NumberFormatValues? format)
    {
        if (format == NumberFormatValues.LowerLetter && value is > 0 and <= 26) return ((char)('a' + value - 1)).ToString();
        if (format == NumberFormatValues.UpperLetter && value is > 0 and <= 26) return ((char)('A' + value - 1)).ToString();
        if (format == NumberFormatValues.LowerRoman) return Roman(value).ToLowerInvariant();
        return format == NumberFormatValues.UpperRoman ? Roman(value) : value.ToString(CultureInfo.InvariantCulture);
    }

    private static string Roman(int value)
    {
        if (value is <= 0 or >= 4000) return value.ToString(CultureInfo.InvariantCulture);
        ReadOnlySpan<(int, string)> signs = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")];
        var result = "";
        foreach (var (worth, sign) in signs)
            for (; value >= worth; value -= worth) result += sign;
        return result;
    }
}
