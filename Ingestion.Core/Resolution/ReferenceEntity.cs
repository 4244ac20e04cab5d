using System.Text.Json.Serialization;

namespace Ingestion.Core.Resolution;

/// <summary>Something that documents refer to, with every name it is known by.</summary>
/// <param name="Key">Stands for it over all versions of its list; unique there.</param>
/// <param name="Parent">The key of what it belongs to; null for none.</param>
/// <param name="Attributes">Whatever else the list knows of it.</param>
[method: JsonConstructor]
public sealed record ReferenceEntity(
    string Key, string Name, IReadOnlyList<EntityAlias> Aliases, string? Parent, IReadOnlyDictionary<string, string> Attributes)
{
    public ReferenceEntity(string key, string name) : this(key, name, [], null, new Dictionary<string, string>())
    {
    }
}

/// <summary>Another spelling of an entity.</summary>
/// <param name="Certainty">1 for a name that holds; less for a guess, which is offered and never decides by itself.</param>
public sealed record EntityAlias([property: JsonPropertyName("text")] string Text, [property: JsonPropertyName("certainty")] double Certainty = 1);
