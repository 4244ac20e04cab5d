using System.Text.RegularExpressions;

namespace Ingestion.Core.Resolution;

/// <summary>Reads a record's fields by the rules of its type. Made once for a version of a type; its expressions run in linear time.</summary>
public sealed class FieldExtractor
{
    /// <summary>Longest value, in characters: more is no name.</summary>
    private const int Longest = 2000;

    private readonly Dictionary<FieldRule, Regex> _patterns;

    public FieldExtractor(RecordType type)
    {
        Type = type;
        _patterns = type.Fields.SelectMany(f => f.Rules).Where(r => r.Pattern is not null).Distinct().ToDictionary(r => r, r => RecordTypeProblems.Compile(r.Pattern!));
    }

    public RecordType Type { get; }

    /// <summary>What each rule of a text or entity field finds, in the order of the rules; the first decides.</summary>
    public IReadOnlyList<FoundValue> Read(RecordField field, RecordSources sources)
    {
        var found = new List<FoundValue>();
        foreach (var rule in field.Rules)
            if (Clean(Cut(rule, Text(rule, sources))) is { } value) found.Add(new(value, Source(rule)));
        return found;
    }

    /// <summary>The labelled parts of the text, in its order; a label may come several times.</summary>
    public static IReadOnlyList<LabelledPart> Parts(RecordField field, RecordSources sources)
    {
        var labels = field.Rules.Where(r => r.From == FieldSource.Labels).SelectMany(r => r.Labels!).ToList();
        var parts = new List<LabelledPart>();
        string? label = null;
        var lines = new List<string>();
        foreach (var line in sources.Markdown.Split('\n'))
        {
            if (LabelOf(line, labels) is { } next)
            {
                End();
                label = next;
            }
            else if (label is not null) lines.Add(line);
        }
        End();
        return parts;

        void End()
        {
            if (label is not null && string.Join('\n', lines).Trim() is { Length: > 0 } text) parts.Add(new(label, text));
            lines.Clear();
        }
    }

    private static string? Text(FieldRule rule, RecordSources sources) => rule.From switch
    {
        FieldSource.Column => sources.Metadata.GetValueOrDefault(rule.Name!),
        FieldSource.Name => sources.Name,
        FieldSource.Title => sources.Title,
        FieldSource.Address => sources.Address,
        FieldSource.Meta or FieldSource.Css => sources.Selected.GetValueOrDefault(RecordSources.Of(rule)),
        FieldSource.Text => rule.Name is { } heading ? Under(heading, sources.Markdown) : sources.Markdown,
        FieldSource.Constant => rule.Value,
        _ => null,
    };

    private string? Cut(FieldRule rule, string? text)
    {
        if (text is null || !_patterns.TryGetValue(rule, out var pattern)) return text;
        return pattern.Match(text) is not { Success: true } match ? null : match.Groups.Count > 1 ? match.Groups[1].Value : match.Value;
    }

    private static string? Clean(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return null;
        var value = Spelling.Exact(text.Replace('\0', '\uFFFD'));
        return value.Length <= Longest ? value : value[..Longest];
    }

    private static string Source(FieldRule rule) => rule.From switch
    {
        FieldSource.Column => $"column {rule.Name}",
        FieldSource.Meta => $"meta {rule.Name}",
        FieldSource.Css => $"css {rule.Selector}",
        FieldSource.Text when rule.Name is { } heading => $"heading {heading}",
        _ => rule.From.ToString().ToLowerInvariant(),
    };

    // What stands under a heading, down to the next one.
    private static string? Under(string heading, string markdown)
    {
        List<string>? lines = null;
        foreach (var line in markdown.Split('\n'))
        {
            if (!line.StartsWith('#'))
            {
                lines?.Add(line);
                continue;
            }
            if (lines is not null) break;
            if (Bare(line).Equals(heading.Trim(), StringComparison.OrdinalIgnoreCase)) lines = [];
        }
        return lines is null ? null : string.Join('\n', lines);
    }

    private static string? LabelOf(string line, List<string> labels)
    {
        var bare = Bare(line);
        return bare.Length is 0 or > 100 ? null : labels.FirstOrDefault(l => l.Equals(bare, StringComparison.OrdinalIgnoreCase));
    }

    // Headings, emphasis and a colon at the end make no other label of it.
    private static string Bare(string line) => line.Trim(' ', '\t', '\r', '#', '*', '_', ':', '-');
}
