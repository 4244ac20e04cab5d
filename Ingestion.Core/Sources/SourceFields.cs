using System.Globalization;
using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>What a field of a connection or an option of a selection holds.</summary>
public enum FieldType
{
    /// <summary>One line of text.</summary>
    Text,
    /// <summary>Several lines of text; in JSON an array of strings.</summary>
    Lines,
    /// <summary>Several patterns of names or addresses; in JSON an array of strings.</summary>
    Patterns,
    /// <summary>A text that is sealed and never shown again.</summary>
    Secret,
    /// <summary>True or false.</summary>
    Flag,
    /// <summary>A whole number.</summary>
    Number,
}

/// <summary>A field that a kind of source knows.</summary>
/// <param name="Default">Where nothing is given: the number, or 1 for a flag that is on.</param>
public sealed record SourceField(string Name, FieldType Type, string Label, string Help = "", bool Required = false, int Default = 0, int Least = 0, int Most = int.MaxValue)
{
    /// <summary>Longest text, and longest line of several.</summary>
    public const int MaxText = 2000;

    /// <summary>Most lines of one field.</summary>
    public const int MaxLines = 500;

    /// <summary>What is wrong with a value, as the rest of a sentence that begins with the field's name; null where nothing is.</summary>
    public string? Problem(JsonElement value) => (Type, value.ValueKind) switch
    {
        (FieldType.Flag, JsonValueKind.True or JsonValueKind.False) => null,
        (FieldType.Flag, _) => "must be true or false",
        (FieldType.Number, JsonValueKind.Number) when value.TryGetInt32(out var n) && n >= Least && n <= Most => null,
        (FieldType.Number, _) => string.Create(CultureInfo.InvariantCulture, $"must be a whole number from {Least} to {Most}"),
        (FieldType.Lines or FieldType.Patterns, JsonValueKind.Array) when value.GetArrayLength() > MaxLines => $"has more than {MaxLines} entries",
        (FieldType.Lines, JsonValueKind.Array) => value.EnumerateArray().Select(TextProblem).FirstOrDefault(p => p is not null),
        (FieldType.Patterns, JsonValueKind.Array) => value.EnumerateArray().Select(v => TextProblem(v) ?? Glob.Problem(v.GetString()!)).FirstOrDefault(p => p is not null),
        (FieldType.Lines or FieldType.Patterns, _) => "must be an array of texts",
        (FieldType.Secret, JsonValueKind.String) => value.GetString()!.Length <= Access.SecretBox.MaxLength ? null : $"has more than {Access.SecretBox.MaxLength:N0} characters",
        _ => TextProblem(value),
    };

    private static string? TextProblem(JsonElement value) => value.ValueKind != JsonValueKind.String ? "must be a text"
        : value.GetString() is { Length: > MaxText } ? $"has more than {MaxText:N0} characters"
        : value.GetString()!.Any(char.IsControl) ? "contains control characters" : null;
}

/// <summary>Values of the fields of one kind, checked; what was not given has its default.</summary>
public sealed class SourceValues
{
    private readonly IReadOnlyList<SourceField> _fields;
    private readonly SortedDictionary<string, JsonElement> _given;

    private SourceValues(IReadOnlyList<SourceField> fields, SortedDictionary<string, JsonElement> given) => (_fields, _given) = (fields, given);

    /// <summary>
    /// Reads an object. Throws <c>invalid_option</c> naming the field where one is unknown, of the wrong type or out of range.
    /// </summary>
    /// <param name="what">Stands before each field's name in the sentence: <c>options</c>.</param>
    public static SourceValues Read(string what, IReadOnlyList<SourceField> fields, JsonElement? json)
    {
        var given = new SortedDictionary<string, JsonElement>(StringComparer.Ordinal);
        if (json is not { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } value) return new(fields, given);
        if (value.ValueKind != JsonValueKind.Object) throw Invalid($"{what} must be an object.");
        foreach (var member in value.EnumerateObject())
        {
            var field = fields.FirstOrDefault(f => f.Name == member.Name)
                ?? throw Invalid($"{what}.{Short(member.Name)} is not known here. {(fields.Count == 0 ? "There are no options." : $"Known are: {string.Join(", ", fields.Select(f => f.Name))}.")}");
            if (member.Value.ValueKind == JsonValueKind.Null) continue;
            if (field.Problem(member.Value) is { } problem) throw Invalid($"{what}.{field.Name} {problem}.");
            given[field.Name] = member.Value.Clone();
        }
        return new(fields, given);
    }

    /// <summary>The fields that must be given and are not.</summary>
    public IEnumerable<SourceField> Missing => _fields.Where(f => f.Required && f.Type != FieldType.Secret && Text(f.Name).Length == 0 && Lines(f.Name).Count == 0);

    /// <summary>Empty where it was not given.</summary>
    public string Text(string name) => _given.TryGetValue(name, out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()!.Trim() : "";

    /// <summary>Without empty ones.</summary>
    public IReadOnlyList<string> Lines(string name) => _given.TryGetValue(name, out var v) && v.ValueKind == JsonValueKind.Array
        ? [.. v.EnumerateArray().Select(e => e.GetString()!.Trim()).Where(s => s.Length > 0)]
        : [];

    public bool Flag(string name) => _given.TryGetValue(name, out var v) ? v.ValueKind == JsonValueKind.True : Field(name).Default == 1;

    public int Number(string name) => _given.TryGetValue(name, out var v) ? v.GetInt32() : Field(name).Default;

    /// <summary>What was given, names in ordinal order: the same for the same values.</summary>
    public string Json => JsonSerializer.Serialize(_given);

    /// <summary>The values without some of them.</summary>
    public SourceValues Without(IEnumerable<string> names)
    {
        var rest = new SortedDictionary<string, JsonElement>(_given, StringComparer.Ordinal);
        foreach (var name in names) rest.Remove(name);
        return new(_fields, rest);
    }

    private SourceField Field(string name) => _fields.Single(f => f.Name == name);

    private static string Short(string name) => name.Length <= 60 ? name : name[..60] + "…";

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
