using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Ingestion.Admin.Access;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Ingestion.Admin.OpenApi;

/// <summary>
/// The OpenAPI document: routes and parameters as the program has them, sentences, bodies and examples from <see cref="ApiOperations"/>. It
/// depends on the program alone, so it is made once.
/// </summary>
internal sealed class ApiDocument(IServiceProvider services)
{
    public const string Name = "v1";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly SemaphoreSlim _gate = new(1, 1);
    private byte[]? _made;

    /// <summary>UTF-8 JSON.</summary>
    public async Task<byte[]> BytesAsync(CancellationToken ct)
    {
        if (_made is { } made) return made;
        await _gate.WaitAsync(ct);
        try
        {
            return _made ??= await MakeAsync(ct);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<byte[]> MakeAsync(CancellationToken ct)
    {
        var document = await services.GetRequiredKeyedService<IOpenApiDocumentProvider>(Name).GetOpenApiDocumentAsync(ct);
        var routes = JsonNode.Parse(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1, ct))!.AsObject();
        return Encoding.UTF8.GetBytes(Describe(routes).ToJsonString(Indented) + "\n");
    }

    private static JsonObject Describe(JsonObject routes)
    {
        var found = routes["paths"]?.AsObject() ?? [];
        var paths = new JsonObject();
        foreach (var operation in ApiOperations.All)
        {
            if (paths[operation.Path] is not JsonObject path) paths[operation.Path] = path = [];
            path[operation.Method.ToLowerInvariant()] = DescribedOperation.Of(operation, found[operation.Path]?[operation.Method.ToLowerInvariant()]?["parameters"]?.AsArray());
        }
        return new()
        {
            ["openapi"] = "3.1.1",
            ["info"] = new JsonObject
            {
                ["title"] = "Ingestion", ["version"] = "1.0.0",
                ["description"] = "Hand documents in, follow each to its end, find them again. Errors are problem details that always hold `detail`, a sentence for a person; most hold `code` and `remedy`. Creations take an `Idempotency-Key`.",
            },
            ["tags"] = new JsonArray([.. ApiOperations.All.Select(o => o.Tag).Distinct().Select(t => (JsonNode)new JsonObject { ["name"] = t })]),
            ["security"] = new JsonArray(new JsonObject { ["key"] = new JsonArray() }, new JsonObject { ["bearer"] = new JsonArray() }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["securitySchemes"] = new JsonObject
                {
                    ["key"] = new JsonObject { ["type"] = "apiKey", ["in"] = "header", ["name"] = ApiKeyHandler.Header },
                    ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" },
                },
                ["schemas"] = new JsonObject { ["Problem"] = ExampleSchema.Of(ApiExamples.Find("problem"), ["detail"]) },
                ["responses"] = new JsonObject
                {
                    ["Problem"] = new JsonObject
                    {
                        ["description"] = "It was refused, or it failed: detail says why.",
                        ["content"] = new JsonObject { ["application/problem+json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/Problem" }, ["example"] = ApiExamples.Find("problem") } },
                    },
                },
            },
        };
    }
}
