using System.Text.Json;

namespace Ingestion.Tests.Admin.OpenApi;

/// <summary>What a client of an older document would miss in a newer one. Additions are no break: clients leave alone what they do not know.</summary>
internal static class Compatibility
{
    private static readonly string[] Methods = ["get", "put", "post", "delete", "patch"];

    /// <summary>A sentence for each break; none where every client of the old document works on.</summary>
    public static IReadOnlyList<string> Breaks(JsonElement before, JsonElement after) => [.. Paths(before.GetProperty("paths"), after.GetProperty("paths"))];

    private static IEnumerable<string> Paths(JsonElement before, JsonElement after)
    {
        foreach (var path in before.EnumerateObject())
            foreach (var operation in path.Value.EnumerateObject().Where(o => Methods.Contains(o.Name)))
            {
                var name = $"{operation.Name.ToUpperInvariant()} {path.Name}";
                if (!after.TryGetProperty(path.Name, out var now) || !now.TryGetProperty(operation.Name, out var same)) yield return $"{name} is gone";
                else
                    foreach (var difference in Parameters(operation.Value, same).Concat(Bodies(operation.Value, same)).Concat(Answers(operation.Value, same))) yield return $"{name}: {difference}";
            }
    }

    private static IEnumerable<string> Parameters(JsonElement before, JsonElement after)
    {
        var (old, now) = (Named(before), Named(after));
        foreach (var (name, parameter) in old)
            if (!now.TryGetValue(name, out var same)) yield return $"the parameter {name} is gone";
            else if (Type(parameter.GetProperty("schema")) != Type(same.GetProperty("schema"))) yield return $"the parameter {name} is {Type(same.GetProperty("schema"))}, no more {Type(parameter.GetProperty("schema"))}";
        foreach (var (name, parameter) in now)
            if (IsRequired(parameter) && !(old.TryGetValue(name, out var was) && IsRequired(was))) yield return $"the parameter {name} is needed now";
    }

    private static IEnumerable<string> Bodies(JsonElement before, JsonElement after)
    {
        if (!before.TryGetProperty("requestBody", out var old))
            return after.TryGetProperty("requestBody", out var added) && IsRequired(added) ? ["a body is needed now"] : [];
        return after.TryGetProperty("requestBody", out var now) ? Contents(old, now, sent: true) : ["it takes no body any more"];
    }

    private static IEnumerable<string> Answers(JsonElement before, JsonElement after)
    {
        foreach (var answer in before.GetProperty("responses").EnumerateObject().Where(a => a.Name != "default"))
            if (!after.GetProperty("responses").TryGetProperty(answer.Name, out var now)) yield return $"it answers {answer.Name} no more";
            else
                foreach (var difference in Contents(answer.Value, now, sent: false)) yield return difference;
    }

    private static IEnumerable<string> Contents(JsonElement before, JsonElement after, bool sent)
    {
        if (!before.TryGetProperty("content", out var old)) yield break;
        foreach (var media in old.EnumerateObject())
            if (!after.TryGetProperty("content", out var now) || !now.TryGetProperty(media.Name, out var same)) yield return $"{media.Name} is gone";
            else
                foreach (var difference in Schemas(sent ? "body" : "answer", media.Value.GetProperty("schema"), same.GetProperty("schema"), sent)) yield return difference;
    }

    private static IEnumerable<string> Schemas(string at, JsonElement before, JsonElement after, bool sent)
    {
        // What may be anything may become something in an answer, never the other way round.
        if (Type(before) != Type(after) && !(Type(before) == "any" && !sent) && !(Type(after) == "any" && sent))
        {
            yield return $"{at} is {Type(after)}, no more {Type(before)}";
            yield break;
        }
        if (before.TryGetProperty("properties", out var members))
            foreach (var member in members.EnumerateObject())
                if (!after.TryGetProperty("properties", out var now) || !now.TryGetProperty(member.Name, out var same)) yield return $"{at}.{member.Name} is gone";
                else
                    foreach (var difference in Schemas($"{at}.{member.Name}", member.Value, same, sent)) yield return difference;
        if (before.TryGetProperty("items", out var element) && after.TryGetProperty("items", out var other))
            foreach (var difference in Schemas($"{at}[]", element, other, sent)) yield return difference;
        if (sent)
            foreach (var name in Needed(after).Except(Needed(before))) yield return $"{at}.{name} is needed now";
    }

    private static Dictionary<string, JsonElement> Named(JsonElement operation) => operation.TryGetProperty("parameters", out var parameters)
        ? parameters.EnumerateArray().ToDictionary(p => $"{p.GetProperty("in").GetString()} {p.GetProperty("name").GetString()}") : [];

    private static bool IsRequired(JsonElement of) => of.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.True;

    private static IEnumerable<string> Needed(JsonElement schema) => schema.TryGetProperty("required", out var names) ? names.EnumerateArray().Select(n => n.GetString()!) : [];

    private static string Type(JsonElement schema) => schema.TryGetProperty("type", out var type) ? type.GetString()! : "any";
}
