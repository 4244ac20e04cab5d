using System.Net;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline.Verify;
using Ingestion.Tests.Access;
using Ingestion.Tests.Admin.Families;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

/// <summary>The program with its pipeline beside every kind of source, and what a client of <c>/batch</c> does with both.</summary>
public sealed class MixedApp : IAsyncLifetime
{
    private LiveApp _app = null!;

    internal MixedSources Sources { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Sources = await MixedSources.StartAsync();
        _app = new([.. Sources.Settings, ("Ingestion:Acquire:RequestsPerMinutePerHost", "0"), ("Ingestion:Pipeline:Poll", "00:00:00.100")]);
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await Sources.DisposeAsync();
    }

    /// <summary>Makes the connections of the sources, over HTTP, as an administrator.</summary>
    public async Task ConnectAsync()
    {
        var administrator = new FamilyClient(_app.Client(Admin.AdminApp.Key));
        foreach (var (kind, key, settings) in Sources.Connections) await administrator.PostAsync("/api/v1/connections", new { kind, key, name = $"The {key}", settings }, HttpStatusCode.Created);
    }

    /// <summary>An operator of a tenant; one that is not there yet is made.</summary>
    internal async Task<(Person Person, FamilyClient Client)> CallerAsync(string tenant = Tenant.Default)
    {
        var people = new People(_app.Services);
        if (tenant != Tenant.Default) await people.TenantAsync(tenant);
        var person = await people.MakeAsync(tenant: tenant);
        return (person, new(_app.Client(person.Key)));
    }

    /// <summary>Sends a file and returns its id.</summary>
    internal async Task<string> UploadAsync(Person person, string path, string content, string purpose = "file")
    {
        using var client = _app.Client(person.Key);
        using var body = new ByteArrayContent(Encoding.UTF8.GetBytes(content));
        using var answer = await client.PostAsync($"/api/v1/uploads/file?path={Uri.EscapeDataString(path)}&purpose={purpose}", body);
        answer.StatusCode.ShouldBe(HttpStatusCode.Created);
        return JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync()).Said("id")!;
    }

    /// <summary>Starts a job and follows it to its end.</summary>
    internal async Task<JsonElement> RunAsync(FamilyClient client, Person person, JsonElement created)
    {
        var id = created.Said("job_id");
        created.Said("status").ShouldBe("pending");
        await client.PostAsync($"/batch/jobs/{id}/control", new { user_id = person.Id, action = "start" });
        return await client.UntilAsync($"/batch/jobs/{id}?user_id={person.Id}", j => j.Said("status") is "completed" or "failed", seconds: 90);
    }

    /// <summary>Fails with what <c>verify</c> finds wrong, the stored files read as well.</summary>
    public async Task VerifiedAsync() => (await _app.Services.GetRequiredService<Verification>().RunAsync(new(Quick: false), CancellationToken.None)).ShouldFindNothing();
}
