using System.Text;

namespace Ingestion.Core.Parsing;

/// <summary>Reads delimited text: quotes, doubled quotes, line ends of every kind inside and outside of them. Forgiving: it never fails. Linear.</summary>
internal static class CsvReader
{
    private const int Sample = 1 << 16;
    private static readonly char[] Delimiters = [',', ';', '\t', '|'];

    /// <summary>The records of a text; blank lines are none.</summary>
    public static IEnumerable<IReadOnlyList<string>> Read(string text, char delimiter)
    {
        var field = new StringBuilder();
        var record = new List<string>();
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (quoted)
            {
                if (c != '"') field.Append(c);
                else if (i + 1 < text.Length && text[i + 1] == '"') { field.Append('"'); i++; }
                else quoted = false;
            }
            else if (c == '"' && field.Length == 0) quoted = true;
            else if (c == delimiter) { record.Add(field.ToString()); field.Clear(); }
            else if (c is '\n' or '\r')
            {
                if (c == '\r' && i + 1 < text.Length && text[i + 1] == '\n') i++;
                if (End() is { } done) yield return done;
            }
            else field.Append(c);
        }
        if (End() is { } last) yield return last;

        List<string>? End()
        {
            record.Add(field.ToString());
            field.Clear();
            var done = record;
            record = new List<string>(done.Count);
            return done.Exists(f => !string.IsNullOrWhiteSpace(f)) ? done : null;
        }
    }

    /// <summary>The delimiter that gives the most records the same number of fields, more than one; a comma where none does.</summary>
    public static char Delimiter(string text)
    {
        var sample = text.Length <= Sample ? text : text[..(text.LastIndexOf('\n', Sample - 1) is > 0 and var cut ? cut : Sample)];
        // Excel writes the delimiter into a first line of its own.
        if (sample.StartsWith("sep=", StringComparison.OrdinalIgnoreCase) && sample.Length > 4) return sample[4];
        return Delimiters.Select(d => (Delimiter: d, Score: Score(sample, d))).MaxBy(x => x.Score) is { Score: > 0 } best ? best.Delimiter : ',';
    }

    private static double Score(string sample, char delimiter)
    {
        var widths = Read(sample, delimiter).Take(200).Select(r => r.Count).ToList();
        var common = widths.Where(w => w > 1).GroupBy(w => w).MaxBy(g => g.Count());
        return common is null ? 0 : (double)common.Count() / widths.Count + Math.Min(common.Key, 50) * 0.002;
    }
}
