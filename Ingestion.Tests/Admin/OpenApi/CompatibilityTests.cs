using System.Text.Json;
using System.Text.Json.Nodes;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.OpenApi;

public sealed class CompatibilityTests
{
    private const string Document = """
        {
          "paths": {
            "/things": {
              "post": {
                "parameters": [ { "name": "take", "in": "query", "schema": { "type": "integer" } } ],
                "requestBody": { "content": { "application/json": { "schema": { "type": "object", "properties": { "name": { "type": "string" }, "size": { "type": "integer" } }, "required": [ "name" ] } } } },
                "responses": { "201": { "content": { "application/json": { "schema": { "type": "object", "properties": { "id": { "type": "integer" }, "parts": { "type": "array", "items": { "type": "object", "properties": { "text": { "type": "string" } } } }, "note": {} } } } } } }
              }
            }
          }
        }
        """;

    [Fact]
    public void The_same_document_breaks_nothing() => Breaks(_ => { }).ShouldBeEmpty();

    [Fact]
    public void What_is_added_breaks_nothing() => Breaks(d =>
    {
        d["paths"]!["/others"] = JsonNode.Parse("""{ "get": { "responses": {} } }""");
        Post(d)["parameters"]!.AsArray().Add(JsonNode.Parse("""{ "name": "skip", "in": "query", "schema": { "type": "integer" } }"""));
        Sent(d)["properties"]!["colour"] = JsonNode.Parse("""{ "type": "string" }""");
        Answered(d)["properties"]!["colour"] = JsonNode.Parse("""{ "type": "string" }""");
        Answered(d)["properties"]!["note"]!["type"] = "string";
    }).ShouldBeEmpty();

    [Fact]
    public void A_path_that_is_gone_breaks() => Breaks(d => d["paths"]!.AsObject().Remove("/things")).ShouldBe(["POST /things is gone"]);

    [Fact]
    public void A_parameter_that_is_gone_or_of_another_type_breaks()
    {
        Breaks(d => Post(d)["parameters"]!.AsArray().Clear()).ShouldBe(["POST /things: the parameter query take is gone"]);
        Breaks(d => Post(d)["parameters"]![0]!["schema"]!["type"] = "string").ShouldBe(["POST /things: the parameter query take is string, no more integer"]);
        Breaks(d => Post(d)["parameters"]![0]!["required"] = true).ShouldBe(["POST /things: the parameter query take is needed now"]);
    }

    [Fact]
    public void A_member_that_is_needed_now_breaks() => Breaks(d => Sent(d)["required"]!.AsArray().Add("size")).ShouldBe(["POST /things: body.size is needed now"]);

    [Fact]
    public void A_member_that_is_gone_or_of_another_type_breaks()
    {
        Breaks(d => Sent(d)["properties"]!.AsObject().Remove("size")).ShouldBe(["POST /things: body.size is gone"]);
        Breaks(d => Answered(d)["properties"]!.AsObject().Remove("id")).ShouldBe(["POST /things: answer.id is gone"]);
        Breaks(d => Answered(d)["properties"]!["id"]!["type"] = "string").ShouldBe(["POST /things: answer.id is string, no more integer"]);
        Breaks(d => Answered(d)["properties"]!["parts"]!["items"]!["properties"]!.AsObject().Remove("text")).ShouldBe(["POST /things: answer.parts[].text is gone"]);
    }

    [Fact]
    public void Another_status_or_media_type_breaks()
    {
        Breaks(d => (Post(d)["responses"]!["200"], _) = (Post(d)["responses"]!["201"]!.DeepClone(), Post(d)["responses"]!.AsObject().Remove("201"))).ShouldBe(["POST /things: it answers 201 no more"]);
        Breaks(d => Post(d)["requestBody"]!["content"]!.AsObject().Remove("application/json")).ShouldBe(["POST /things: application/json is gone"]);
    }

    private static IReadOnlyList<string> Breaks(Action<JsonNode> change)
    {
        var after = JsonNode.Parse(Document)!;
        change(after);
        return Compatibility.Breaks(JsonSerializer.Deserialize<JsonElement>(Document), JsonSerializer.SerializeToElement(after));
    }

    private static JsonNode Post(JsonNode d) => d["paths"]!["/things"]!["post"]!;

    private static JsonNode Sent(JsonNode d) => Post(d)["requestBody"]!["content"]!["application/json"]!["schema"]!;

    private static JsonNode Answered(JsonNode d) => Post(d)["responses"]!["201"]!["content"]!["application/json"]!["schema"]!;
}
