using System.Net;
using Ingestion.Core.Data;
using Ingestion.Tests.Access;
using Ingestion.Tests.Admin.Families;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class OnceForEachKeyTests(AdminApp app) : IClassFixture<AdminApp>
{
    private readonly FamilyClient _client = new(app.Caller(AdminApp.Key));

    [Theory]
    [InlineData("/api/v1/collections", """{"name":"Once NAME"}""", """{"name":"Other NAME"}""")]
    [InlineData("/api/v1/tenants", """{"id":"once-NAME","name":"Once"}""", """{"id":"other-NAME","name":"Once"}""")]
    [InlineData("/api/v1/invitations", """{"name":"Once NAME"}""", """{"name":"Other NAME"}""")]
    [InlineData("/api/v1/uploads", """{"path":"NAME.txt","size":5}""", """{"path":"NAME.txt","size":6}""")]
    [InlineData("/api/v1/uploads/file?path=once.txt", "the words of NAME", "other words of NAME")]
    public async Task A_creation_sent_again_gets_its_first_answer(string path, string body, string other)
    {
        var name = Guid.NewGuid().ToString("n")[..8];
        var (key, same) = (Guid.NewGuid().ToString(), body.Replace("NAME", name, StringComparison.Ordinal));
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _client.PostAsync(path, same, HttpStatusCode.Created, key)));
        answers.Select(a => a.GetRawText()).Distinct().Count().ShouldBe(1);
        (await _client.PostAsync(path, other.Replace("NAME", name, StringComparison.Ordinal), HttpStatusCode.UnprocessableEntity, key)).Said("detail")!.ShouldContain("Idempotency-Key");
    }

    [Fact]
    public async Task A_key_that_is_shown_once_is_shown_once_more_to_whoever_lost_the_answer_and_lies_nowhere_in_the_clear()
    {
        var person = await new People(app.Services).MakeAsync();
        var client = new FamilyClient(app.Caller(person.Key));
        var first = await client.PostAsync("/api/v1/keys", """{"name":"nightly","scope":"write"}""", HttpStatusCode.Created, "lost");
        (await client.PostAsync("/api/v1/keys", """{"name":"nightly","scope":"write"}""", HttpStatusCode.Created, "lost")).Said("key").ShouldBe(first.Said("key"));
        var database = app.Services.GetRequiredService<Database>();
        var stored = await database.Worker.QueryAsync<byte[]>("SELECT sealed FROM ingestion.kept_answer WHERE caller = $1", person.Id);
        System.Text.Encoding.Latin1.GetString(stored.Single()).ShouldNotContain(first.Said("key")!);
        // Another person's key of the same name is another key.
        var other = new FamilyClient(app.Caller((await new People(app.Services).MakeAsync()).Key));
        (await other.PostAsync("/api/v1/keys", """{"name":"nightly","scope":"write"}""", HttpStatusCode.Created, "lost")).Said("key").ShouldNotBe(first.Said("key"));
    }

    [Fact]
    public async Task A_refusal_is_not_kept()
    {
        var key = Guid.NewGuid().ToString();
        (await _client.PostAsync("/api/v1/collections", """{"name":""}""", HttpStatusCode.BadRequest, key)).Said("detail").ShouldNotBeNullOrWhiteSpace();
        var made = await _client.PostAsync("/api/v1/collections", $$"""{"name":"After {{key}}"}""", HttpStatusCode.Created, key);
        made.Said("name").ShouldBe($"After {key}");
        (await _client.PostAsync("/api/v1/collections", """{"name":"x"}""", HttpStatusCode.BadRequest, new string('k', 201))).Said("detail")!.ShouldContain("200");
    }
}
