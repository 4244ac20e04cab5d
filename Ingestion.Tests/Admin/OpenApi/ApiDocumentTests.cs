using System.Net;
using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Admin.OpenApi;
using Ingestion.Tests.Access;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.OpenApi;

public sealed class ApiDocumentTests(AdminApp app) : IClassFixture<AdminApp>
{
    /// <summary>The document of the last release; how it is replaced stands in docs/api-versioning.md.</summary>
    private static string Released => Path.Combine(Repository.Root, "docs", "openapi", "v1.json");

    [Fact]
    public async Task Every_route_of_programs_is_in_the_document_and_nothing_else()
    {
        var document = await DocumentAsync();
        var written = document.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject().Select(o => $"{o.Name.ToUpperInvariant()} {p.Name}")).ToList();
        var routes = RouteRulesTests.Routes(app.Services).Where(r => ApiOperations.Covers(RouteRules.Find(r.Pattern, r.Method)!))
            .Select(r => $"{r.Method} {new ApiOperation(r.Method, r.Pattern, "", "").Path}").Distinct().ToList();
        routes.Except(written).ShouldBeEmpty("these routes have no row in ApiOperations");
        written.Except(routes).ShouldBeEmpty("these rows of ApiOperations have no route");
        Console.WriteLine($"{written.Count} operations on {document.GetProperty("paths").EnumerateObject().Count()} paths");
    }

    [Fact]
    public async Task The_document_says_what_it_is_and_each_operation_what_it_does()
    {
        var document = await DocumentAsync();
        document.GetProperty("openapi").GetString()!.ShouldStartWith("3.1");
        var operations = document.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject().Select(o => (Path: p.Name, Operation: o.Value))).ToList();
        operations.Select(o => o.Operation.GetProperty("operationId").GetString()).ShouldBeUnique();
        foreach (var (path, operation) in operations)
        {
            operation.GetProperty("summary").GetString().ShouldNotBeNullOrWhiteSpace(path);
            operation.GetProperty("responses").GetProperty("default").GetProperty("$ref").GetString().ShouldBe("#/components/responses/Problem");
            var names = operation.TryGetProperty("parameters", out var parameters) ? parameters.EnumerateArray().Where(p => p.GetProperty("in").GetString() == "path").Select(p => p.GetProperty("name").GetString()!).ToList() : [];
            names.ShouldBe(path.Split('/').Where(p => p.StartsWith('{')).Select(p => p.Trim('{', '}')), ignoreOrder: true, path);
        }
        var list = document.GetProperty("paths").GetProperty("/collections/{collection_id}/ingestion-jobs").GetProperty("get").GetProperty("parameters").EnumerateArray()
            .ToDictionary(p => p.GetProperty("name").GetString()!, p => p.GetProperty("schema").GetProperty("type").GetString());
        list.ShouldBe(new Dictionary<string, string?> { ["collection_id"] = "string", ["status"] = "string", ["limit"] = "integer", ["offset"] = "integer", ["sort_by"] = "string", ["sort_order"] = "string" }, ignoreOrder: true);
    }

    [Fact]
    public async Task No_client_of_the_last_release_is_broken()
    {
        var breaks = Compatibility.Breaks(JsonSerializer.Deserialize<JsonElement>(await File.ReadAllTextAsync(Released)), await DocumentAsync());
        breaks.ShouldBeEmpty("docs/api-versioning.md says how something is retired");
    }

    [Fact]
    public async Task The_document_is_not_sent_again_to_whoever_has_it()
    {
        using var client = app.Caller();
        using var first = await client.GetAsync("/openapi/v1.json");
        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/openapi/v1.json");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
        using var second = await client.SendAsync(request);
        second.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        (await second.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_reference_shows_every_operation_to_whoever_is_signed_in()
    {
        using var browser = await app.SignedInAsync();
        var page = await browser.GetStringAsync("/api-reference");
        foreach (var operation in ApiOperations.All) page.ShouldContain($"id=\"{operation.Id}\"");
    }

    private async Task<JsonElement> DocumentAsync()
    {
        using var client = app.Caller();
        return JsonSerializer.Deserialize<JsonElement>(await client.GetStringAsync("/openapi/v1.json"));
    }
}
