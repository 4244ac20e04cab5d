using System.Text.Json;
using Ingestion.Core.Parsing;

namespace Ingestion.Core.Resolution;

/// <summary>Everything that rules may read of one document.</summary>
/// <param name="Metadata">Names and values given with the document; names are compared without regard to case.</param>
/// <param name="Selected">What a page answered to each of the type's selectors; empty where the document is no page.</param>
/// <param name="Markdown">Empty where no rule reads the text.</param>
public sealed record RecordSources(
    string Name, string? Title, string Address, IReadOnlyDictionary<string, string> Metadata, IReadOnlyDictionary<PageSelector, string> Selected, string Markdown)
{
    /// <summary>What has to be asked of a page for this type.</summary>
    public static IReadOnlyList<PageSelector> SelectorsOf(RecordType type) =>
        [.. type.Fields.SelectMany(f => f.Rules).Where(r => r.From is FieldSource.Css or FieldSource.Meta).Select(Of).Distinct()];

    /// <summary>True where a rule of the type reads the document's text.</summary>
    public static bool ReadsText(RecordType type) => type.Fields.SelectMany(f => f.Rules).Any(r => r.From is FieldSource.Text or FieldSource.Labels);

    public static IReadOnlyDictionary<string, string> ParseMetadata(string json)
    {
        using var document = JsonDocument.Parse(json);
        var metadata = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var property in document.RootElement.EnumerateObject())
            if (property.Value.ValueKind == JsonValueKind.String) metadata[property.Name] = property.Value.GetString()!;
        return metadata;
    }

    /// <summary>The question a rule puts to a page.</summary>
    internal static PageSelector Of(FieldRule rule) => rule.From == FieldSource.Css ? new(rule.Selector!, rule.Attribute)
        : new($"meta[name={Quoted(rule.Name!)} i],meta[property={Quoted(rule.Name!)} i],meta[itemprop={Quoted(rule.Name!)} i]", "content");

    private static string Quoted(string name) => $"\"{name.Replace("\\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
