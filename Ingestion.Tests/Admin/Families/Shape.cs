using System.Text.Json;

namespace Ingestion.Tests.Admin.Families;

/// <summary>Compares an answer with a documented example: every member of the example is there and of its type. What the example leaves null may be anything.</summary>
internal static class Shape
{
    /// <summary>Sentences on what does not fit; none where all does.</summary>
    public static IReadOnlyList<string> Differences(string example, JsonElement actual) => [.. Compare("$", JsonSerializer.Deserialize<JsonElement>(example), actual)];

    private static IEnumerable<string> Compare(string at, JsonElement example, JsonElement actual)
    {
        if (example.ValueKind == JsonValueKind.Null) yield break;
        if (Kind(example) != Kind(actual))
        {
            yield return $"{at} is {Kind(actual)}, not {Kind(example)}";
            yield break;
        }
        if (example.ValueKind == JsonValueKind.Object)
            foreach (var member in example.EnumerateObject())
                foreach (var difference in actual.TryGetProperty(member.Name, out var value) ? Compare($"{at}.{member.Name}", member.Value, value) : [$"{at}.{member.Name} is missing"])
                    yield return difference;
        if (example.ValueKind == JsonValueKind.Array && example.GetArrayLength() > 0)
            foreach (var (element, n) in actual.EnumerateArray().Select((e, n) => (e, n)))
                foreach (var difference in Compare($"{at}[{n}]", example[0], element))
                    yield return difference;
    }

    private static string Kind(JsonElement value) => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? "Boolean" : value.ValueKind.ToString();
}
