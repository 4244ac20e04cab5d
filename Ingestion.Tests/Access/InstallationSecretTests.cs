using System.Net;
using System.Net.Http.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Admin;
using Ingestion.Tests.Embeddings;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access;

/// <summary>Secrets of the installation: the owner's to set, and used without a restart.</summary>
public sealed class InstallationSecretTests(AdminApp app) : IClassFixture<AdminApp>
{
    private readonly People _people = new(app.Services);

    [Fact]
    public async Task Only_the_owner_sets_and_removes_them_and_only_in_the_default_tenant()
    {
        var (owner, admin) = (await _people.MakeAsync(Role.Administrator, owner: true), await _people.MakeAsync(Role.Administrator));
        const string address = "/api/v1/secrets/" + EmbeddingKey.SecretName;
        (await app.Caller(admin.Key).PutAsJsonAsync(address, new { value = "sk-1" })).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await app.Caller(owner.Key).PutAsJsonAsync(address, new { value = "two words" })).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await app.Caller(owner.Key).PutAsJsonAsync(address, new { value = "sk-1" })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await app.Caller(admin.Key).DeleteAsync(address)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await app.Browser(admin).GetStringAsync("/secrets")).ShouldContain(EmbeddingKey.SecretName);
        (await app.Browser(admin).GetStringAsync("/secrets")).ShouldNotContain(">Replace<");
        (await app.Browser(owner).GetStringAsync("/secrets")).ShouldContain("Replace");
        await _people.TenantAsync("elsewhere");
        var box = app.Services.GetRequiredService<SecretBox>();
        (await Should.ThrowAsync<IngestionException>(() => box.SetAsync(new("elsewhere", owner.Id), EmbeddingKey.SecretName, "x", CancellationToken.None))).Message.ShouldContain("the tenant default");
        (await app.Caller(owner.Key).DeleteAsync(address)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
    }

    [Fact]
    public async Task Key_of_the_embedding_service_is_taken_from_the_box_and_changed_without_a_restart()
    {
        var (box, key, models) = (app.Services.GetRequiredService<SecretBox>(), app.Services.GetRequiredService<EmbeddingKey>(), app.Services.GetRequiredService<EmbeddingModels>());
        var actor = new Actor(Tenant.Default, "test");
        models.Default.IsLocal.ShouldBeTrue();
        await box.SetAsync(actor, EmbeddingKey.SecretName, "sk-from-the-box", CancellationToken.None);
        await key.ReadAsync(CancellationToken.None);
        (key.Value, models.Default.Id).ShouldBe(("sk-from-the-box", EmbeddingOptions.DefaultModel));
        await box.RemoveAsync(actor, EmbeddingKey.SecretName, CancellationToken.None);
        await key.ReadAsync(CancellationToken.None);
        (key.Value, models.Default.IsLocal).ShouldBe((null, true));
    }

    [Fact]
    public async Task Key_of_the_moment_is_what_the_service_is_sent_and_what_is_blotted_out()
    {
        var received = new List<string>();
        await using var service = await StubEmbeddingService.StartAsync(async (context, _) =>
        {
            received.Add(context.Request.Headers.Authorization.ToString());
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            await context.Response.WriteAsync("{\"error\":{\"message\":\"wrong: " + received[^1]["Bearer ".Length..] + "\"}}");
        });
        var sent = "first.key";
        using var embedder = new OpenAiEmbedder(OpenAiEmbedder.CreateHandler(), new() { Endpoint = service.Endpoint, Model = "m", Dimensions = 4 }, TimeProvider.System, key: () => sent);
        foreach (var key in new[] { "first.key", "second.key" })
        {
            sent = key;
            (await Should.ThrowAsync<IngestionException>(() => embedder.GenerateAsync(["a"]))).Message.ShouldNotContain(key);
        }
        received.ShouldBe(["Bearer first.key", "Bearer second.key"]);
    }

    [Fact]
    public async Task Passkey_that_is_removed_is_in_the_audit_log_and_somebody_elses_stays()
    {
        var (person, other) = (await _people.MakeAsync(), await _people.MakeAsync());
        await using var db = app.Services.GetRequiredService<Contexts>().Worker();
        var credential = Guid.NewGuid().ToByteArray();
        db.Passkeys.Add(new() { CredentialId = credential, AccountId = person.Id, Name = "Passkey of a day", Data = "{}", CreatedAt = DateTimeOffset.UtcNow });
        await db.SaveChangesAsync();
        var accounts = app.Services.GetRequiredService<Accounts>();
        (await accounts.RemovePasskeyAsync(new(Tenant.Default, other.Id), credential, CancellationToken.None)).ShouldBeFalse();
        (await accounts.RemovePasskeyAsync(new(Tenant.Default, person.Id), credential, CancellationToken.None)).ShouldBeTrue();
        (await db.Passkeys.AnyAsync(p => p.AccountId == person.Id)).ShouldBeFalse();
        (await db.Audit.Where(a => a.Action == "remove_passkey").Select(a => a.Who + " " + a.Target).ToListAsync()).ShouldBe([$"{person.Id} account {person.Id}"]);
    }
}
