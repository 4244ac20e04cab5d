using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ingestion.Core.Resolution;

/// <summary>How a field stands.</summary>
public enum FieldState
{
    /// <summary>A value, and no entity to be found for it.</summary>
    Given,
    /// <summary>No rule found a value.</summary>
    Empty,
    /// <summary>Linked to an entity, surely enough.</summary>
    Linked,
    /// <summary>Some entity is close, not surely enough.</summary>
    Uncertain,
    /// <summary>The list was asked and holds nothing close.</summary>
    Unmatched,
    /// <summary>There is no list of this type: nobody could be asked.</summary>
    NoList,
    /// <summary>A person chose the entity.</summary>
    Picked,
}

/// <summary>A value and the rule that found it: <c>column Raga</c>, <c>css h1</c>.</summary>
public sealed record FoundValue(string Value, string Source);

/// <summary>A labelled part of the text.</summary>
public sealed record LabelledPart(string Label, string Text);

/// <summary>A field as it was extracted and resolved; what a person is shown, and what a decision changes.</summary>
/// <param name="Others">What other rules found differently.</param>
/// <param name="Conflict">The others contradict the value: for entities, they mean another one.</param>
/// <param name="ListVersion">The version of the reference list that was asked.</param>
/// <param name="Entity">The key of the linked or chosen entity; null where there is none.</param>
/// <param name="Why">A sentence on the state.</param>
public sealed record ResolvedField(
    string Name, FieldKind Kind, FieldState State, FoundValue? Found = null, IReadOnlyList<FoundValue>? Others = null, bool Conflict = false,
    string? EntityType = null, int? ListVersion = null, string? Entity = null, string? EntityName = null, double? Confidence = null, string? Why = null,
    IReadOnlyList<Candidate>? Candidates = null, IReadOnlyList<LabelledPart>? Parts = null)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    public static string ToJson(IReadOnlyList<ResolvedField> fields) => JsonSerializer.Serialize(fields, Json);

    public static IReadOnlyList<ResolvedField> FromJson(string json) => JsonSerializer.Deserialize<IReadOnlyList<ResolvedField>>(json, Json)!;
}
