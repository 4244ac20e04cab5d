using System.Net;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Data;
using Ingestion.Tests.Review;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Reviewing;

/// <summary>The whole program with documents that wait for a person; what is decided stays where the decision sends it.</summary>
public sealed class ReviewApp : IAsyncLifetime
{
    private readonly AdminApp _base = new();
    private WebApplicationFactory<Program>? _app;
    private Spine? _spine;

    public HttpClient Client { get; private set; } = null!;

    internal ReviewSeed Seed { get; private set; } = null!;

    internal Database Database => _spine!.Database;

    public IServiceProvider Services => _app!.Services;

    public Task InitializeAsync()
    {
        _app = _base.WithWebHostBuilder(b => b.UseSetting("Ingestion:Pipeline:Stages:0", "Discover"));
        Client = _app.CreateClient(new() { AllowAutoRedirect = false, HandleCookies = false });
        Client.DefaultRequestHeaders.Add("X-Api-Key", AdminApp.Key);
        _spine = new(new Database(_base.ConnectionString));
        Seed = new(_spine, new(_spine.Database.Worker));
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await _spine!.DisposeAsync();
        await _app!.DisposeAsync();
        await _base.DisposeAsync();
    }

    /// <summary>A batch with so many open reviews.</summary>
    public async Task<(string Batch, Guid Uuid, IReadOnlyList<long> Reviews)> BatchAsync(int items)
    {
        var (batch, reviews) = await Seed.BatchAsync(items);
        return ((await Database.Worker.QueryAsync<string>("SELECT public_id FROM ingestion.import_batch WHERE id = $1", batch)).Single(),
            (await Database.Worker.QueryAsync<Guid>("SELECT uuid FROM ingestion.import_batch WHERE id = $1", batch)).Single(), reviews);
    }

    public async Task<JsonElement> GetAsync(string path) => await JsonAsync(await Client.GetAsync(path), HttpStatusCode.OK);

    public async Task<JsonElement> SendAsync(string method, string path, string body, HttpStatusCode expected = HttpStatusCode.OK, string mediaType = "application/json", string? key = null)
    {
        using var request = new HttpRequestMessage(new(method), path) { Content = new StringContent(body, Encoding.UTF8, mediaType) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        return await JsonAsync(await Client.SendAsync(request), expected);
    }

    private static async Task<JsonElement> JsonAsync(HttpResponseMessage answer, HttpStatusCode expected)
    {
        using (answer)
        {
            var body = await answer.Content.ReadAsStringAsync();
            answer.StatusCode.ShouldBe(expected, body);
            return body.Length == 0 ? default : JsonSerializer.Deserialize<JsonElement>(body);
        }
    }
}
