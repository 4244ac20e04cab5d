using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Ingestion.Admin.Access;

namespace Ingestion.Admin.OpenApi;

/// <summary>One operation of the document.</summary>
internal static partial class DescribedOperation
{
    /// <param name="parameters">As the framework found them; null where it did not look.</param>
    public static JsonObject Of(ApiOperation operation, JsonArray? parameters)
    {
        var rule = RouteRules.Find(operation.Pattern, operation.Method);
        var described = new JsonObject
        {
            ["tags"] = new JsonArray(operation.Tag), ["operationId"] = operation.Id, ["summary"] = operation.Summary,
            ["description"] = rule?.Needs is { } needed ? $"Needs the role {Role(needed)}." : "Open to anybody.",
        };
        if (rule is { Needs: null }) described["security"] = new JsonArray();
        var all = Parameters(operation, parameters);
        if (all.Count > 0) described["parameters"] = all;
        if (Body(operation) is { } body) described["requestBody"] = body;
        described["responses"] = new JsonObject
        {
            [operation.Status.ToString(CultureInfo.InvariantCulture)] = Answer(operation),
            ["default"] = new JsonObject { ["$ref"] = "#/components/responses/Problem" },
        };
        return described;
    }

    /// <summary>The least role that is enough, as people call it.</summary>
    public static string Role(Core.Access.Permission needed) => needed switch
    {
        Core.Access.Permission.Read => "viewer",
        Core.Access.Permission.Ingest => "operator",
        Core.Access.Permission.Review => "reviewer",
        Core.Access.Permission.Administer => "administrator",
        _ => "owner",
    };

    private static JsonArray Parameters(ApiOperation operation, JsonArray? found)
    {
        var parameters = new JsonArray();
        foreach (var parameter in found ?? [])
            parameters.Add(Plain(parameter!.AsObject()));
        foreach (var name in PathNames().Matches(operation.Path).Select(m => m.Groups[1].Value))
            if (!parameters.Any(p => p!["name"]!.GetValue<string>() == name))
                parameters.Add(new JsonObject { ["name"] = name, ["in"] = "path", ["required"] = true, ["schema"] = new JsonObject { ["type"] = "string" } });
        if (operation is { Method: "POST", Status: 201 or 202 } || operation.Pattern.StartsWith("/ingest-", StringComparison.Ordinal))
            parameters.Add(new JsonObject
            {
                ["name"] = "Idempotency-Key", ["in"] = "header", ["schema"] = new JsonObject { ["type"] = "string", ["maxLength"] = 200 },
                ["description"] = "The same key with the same content creates one thing, however often it is sent within 24 hours; with another content it is 422.",
            });
        return parameters;
    }

    // Numbers are described as numbers or texts that look like them; clients send numbers.
    private static JsonObject Plain(JsonObject parameter)
    {
        var plain = new JsonObject { ["name"] = parameter["name"]!.DeepClone(), ["in"] = parameter["in"]!.DeepClone() };
        if (parameter["required"]?.GetValue<bool>() is true) plain["required"] = true;
        var type = parameter["schema"]?["type"];
        var word = type is JsonArray several ? several.Select(t => t!.GetValue<string>()).First(t => t is not ("null" or "string") || several.Count == 1) : type?.GetValue<string>() ?? "string";
        plain["schema"] = new JsonObject { ["type"] = word };
        return plain;
    }

    private static JsonObject? Body(ApiOperation operation)
    {
        var content = new JsonObject();
        if (operation.Request is { } name)
        {
            var example = ApiExamples.Find(name);
            content["application/json"] = new JsonObject { ["schema"] = ExampleSchema.Of(example, operation.Required), ["example"] = example };
        }
        if (operation.Form is { } fields)
            content["multipart/form-data"] = new JsonObject { ["schema"] = Form(fields) };
        if (operation.Bytes is { } media)
            content[media] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string", ["contentMediaType"] = media } };
        if (content.Count == 0) return null;
        var body = new JsonObject { ["content"] = content };
        if (operation.Required.Count > 0 || operation.Form is not null || operation.Bytes is not null) body["required"] = true;
        return body;
    }

    private static JsonObject Form(IReadOnlyList<string> fields)
    {
        var properties = new JsonObject { ["file"] = new JsonObject { ["type"] = "string", ["contentMediaType"] = "application/octet-stream" } };
        foreach (var field in fields) properties[field] = new JsonObject { ["type"] = "string" };
        return new() { ["type"] = "object", ["required"] = new JsonArray("file"), ["properties"] = properties };
    }

    private static JsonObject Answer(ApiOperation operation)
    {
        var answer = new JsonObject { ["description"] = operation.Status == StatusCodes.Status204NoContent ? "Done." : operation.Stream is null ? operation.Summary : "The file." };
        if (operation.Answer is { } name)
        {
            var example = ApiExamples.Find(name);
            answer["content"] = new JsonObject { ["application/json"] = new JsonObject { ["schema"] = ExampleSchema.Of(example), ["example"] = example } };
        }
        else if (operation.Stream is { } media)
        {
            answer["content"] = new JsonObject { [media] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string", ["contentMediaType"] = media } } };
        }
        return answer;
    }

    [GeneratedRegex(@"\{([^}]+)\}", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex PathNames();
}
