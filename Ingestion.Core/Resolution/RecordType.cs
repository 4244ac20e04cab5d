using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ingestion.Core.Resolution;

/// <summary>What a field holds.</summary>
public enum FieldKind
{
    /// <summary>Words.</summary>
    Text,
    /// <summary>A name that means an entity of a reference list.</summary>
    Entity,
    /// <summary>Parts of the text by their labels: <c>pallavi</c>, <c>charanam</c>.</summary>
    Sections,
}

/// <summary>Where a rule reads.</summary>
public enum FieldSource
{
    /// <summary>A column of the manifest, or any metadata given with the document, by <c>name</c> without regard to case.</summary>
    Column,
    /// <summary>The document's name in its batch: a manifest's title column.</summary>
    Name,
    /// <summary>The title that the document gives itself.</summary>
    Title,
    /// <summary>The document's address, or path.</summary>
    Address,
    /// <summary>A page's <c>meta</c> element, by <c>name</c>.</summary>
    Meta,
    /// <summary>The first element of a page that <c>selector</c> finds: its text, or <c>attribute</c>.</summary>
    Css,
    /// <summary>The Markdown of the document; with <c>name</c> only what stands under that heading.</summary>
    Text,
    /// <summary>Parts of the Markdown, each from a line that is one of <c>labels</c> to the next one.</summary>
    Labels,
    /// <summary>Always <c>value</c>.</summary>
    Constant,
}

/// <summary>One way to a field's value.</summary>
/// <param name="Pattern">What of the text is taken: the first group of a regular expression, or all it matches; null takes all.</param>
public sealed record FieldRule(
    FieldSource From, string? Name = null, string? Selector = null, string? Attribute = null, string? Pattern = null,
    IReadOnlyList<string>? Labels = null, string? Value = null);

/// <summary>A field of a record: its rules are all tried, the first that finds something decides, what others find differently is kept beside it.</summary>
/// <param name="EntityType">Which reference list an entity field is looked up in.</param>
/// <param name="Required">A document without it goes to a person.</param>
public sealed record RecordField(string Name, FieldKind Kind, IReadOnlyList<FieldRule> Rules, string? EntityType = null, bool Required = false);

/// <summary>What documents of a collection are records of. Stored as JSON, a row a version.</summary>
/// <param name="Matchers">By entity type; one that is missing is <see cref="Matcher.Default"/>.</param>
public sealed record RecordType(string Name, IReadOnlyList<RecordField> Fields, IReadOnlyDictionary<string, Matcher>? Matchers = null)
{
    public const int MaxFields = 100;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
    };

    public Matcher MatcherOf(string entityType) => Matchers?.GetValueOrDefault(entityType) ?? Matcher.Default;

    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Throws <see cref="JsonException"/> with the place where the text is no record type.</summary>
    public static RecordType Parse(string json) => JsonSerializer.Deserialize<RecordType>(json, Json) ?? throw new JsonException("A record type is an object.");
}
