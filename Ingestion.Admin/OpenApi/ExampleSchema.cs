using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Ingestion.Admin.OpenApi;

/// <summary>The JSON schema that an example implies: its members, and their types. A member that is null in the example may be anything.</summary>
internal static partial class ExampleSchema
{
    public static JsonObject Of(JsonNode? example, IReadOnlyList<string>? required = null) => example switch
    {
        JsonObject members => Object(members, required),
        JsonArray elements => new() { ["type"] = "array", ["items"] = elements.Count > 0 ? Of(elements[0]) : new JsonObject() },
        JsonValue value => Value(value),
        _ => [],
    };

    private static JsonObject Object(JsonObject members, IReadOnlyList<string>? required)
    {
        var schema = new JsonObject { ["type"] = "object" };
        if (required is { Count: > 0 }) schema["required"] = new JsonArray([.. required.Select(r => (JsonNode)r)]);
        // An object without members in an example is one whose names are the caller's own.
        if (members.Count > 0) schema["properties"] = new JsonObject(members.Select(m => KeyValuePair.Create<string, JsonNode?>(m.Key, Of(m.Value))));
        return schema;
    }

    private static JsonObject Value(JsonValue value) => value.GetValueKind() switch
    {
        JsonValueKind.String when Time().IsMatch(value.GetValue<string>()) => new() { ["type"] = "string", ["format"] = "date-time" },
        JsonValueKind.String => new() { ["type"] = "string" },
        JsonValueKind.Number => new() { ["type"] = value.ToJsonString().Contains('.', StringComparison.Ordinal) ? "number" : "integer" },
        _ => new() { ["type"] = "boolean" },
    };

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Time();
}
