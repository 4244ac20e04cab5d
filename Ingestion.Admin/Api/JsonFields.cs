using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api;

/// <summary>Members of a JSON body as values; each throws <c>invalid_option</c> with a sentence that begins with the member's name.</summary>
internal static class JsonFields
{
    /// <summary>Reads a body. A text or name with half a surrogate pair is valid JSON, but no text: that is refused here for all of them.</summary>
    public static T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException e)
        {
            throw new IngestionException(ErrorCodes.InvalidOption, "The body holds a text that is not valid Unicode: half of a surrogate pair.", e);
        }
    }

    /// <summary>
    /// Refuses, at any depth, what the database takes in no JSON: halves of surrogate pairs, and U+0000. For what is kept as it came.
    /// </summary>
    public static void RequireStorable(JsonElement value) => Read(() => IsStorable(value) ? true : throw new IngestionException(ErrorCodes.InvalidOption, "The body holds the character U+0000."));

    /// <summary>Throws <c>invalid_option</c> where a name or text in the body is not valid Unicode, so that whoever looks at it later need not ask.</summary>
    public static void RequireText(JsonElement value) => Read(() => LengthOfTexts(value));

    private static long LengthOfTexts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!.Length,
        JsonValueKind.Array => value.EnumerateArray().Sum(LengthOfTexts),
        JsonValueKind.Object => value.EnumerateObject().Sum(m => m.Name.Length + LengthOfTexts(m.Value)),
        _ => 0,
    };

    private static bool IsStorable(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => IsStorable(value.GetString()!),
        JsonValueKind.Array => value.EnumerateArray().All(IsStorable),
        JsonValueKind.Object => value.EnumerateObject().All(m => IsStorable(m.Name) && IsStorable(m.Value)),
        _ => true,
    };

    private static bool IsStorable(string text) => !text.Contains('\0', StringComparison.Ordinal);

    public static string Text(string name, JsonElement value, int longest)
    {
        if (value.ValueKind != JsonValueKind.String) throw Invalid(name, "must be a text");
        // The database takes no U+0000 in a text.
        var text = value.GetString()!.Replace('\0', '\uFFFD');
        return text.Length <= longest ? text : throw Invalid(name, $"has {text.Length:N0} characters; {longest:N0} are allowed");
    }

    /// <summary>Null for JSON's null.</summary>
    public static string? OptionalText(string name, JsonElement value, int longest) =>
        value.ValueKind == JsonValueKind.Null ? null : Text(name, value, longest);

    public static bool Flag(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Invalid(name, "must be true or false"),
    };

    public static long Id(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var id) ? id : throw Invalid(name, "must be the number of an item");

    /// <summary>One of an enumeration's words, in lower case.</summary>
    public static T Word<T>(string name, JsonElement value) where T : struct, Enum =>
        value.ValueKind == JsonValueKind.String ? Word<T>(name, value.GetString()!) : throw Invalid(name, "must be a text");

    /// <inheritdoc cref="Word{T}(string, JsonElement)"/>
    public static T Word<T>(string name, string word) where T : struct, Enum
    {
        foreach (var known in Enum.GetValues<T>())
            if (known.Word() == word) return known;
        throw Invalid(name, $"must be one of {string.Join(", ", Enum.GetValues<T>().Select(v => v.Word()))}");
    }

    /// <summary>Every element of an array; an element's name is <c>urls[3]</c>.</summary>
    public static IReadOnlyList<T> List<T>(string name, JsonElement value, Func<string, JsonElement, T> read)
    {
        if (value.ValueKind != JsonValueKind.Array) throw Invalid(name, "must be an array");
        var list = new List<T>(value.GetArrayLength());
        foreach (var element in value.EnumerateArray()) list.Add(read($"{name}[{list.Count}]", element));
        return list;
    }

    public static JsonElement.ObjectEnumerator Members(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : throw Invalid(name, "must be an object");

    /// <summary>A caller's name as it may stand in a sentence.</summary>
    public static string Shown(string name) => name.Length <= 80 ? name : name[..80] + "…";

    private static IngestionException Invalid(string name, string must) => new(ErrorCodes.InvalidOption, $"{Shown(name)} {must}.");
}
