using Ingestion.Admin.Api.Live;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Events;
using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Access;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Ingestion.Tests.Admin.Families;

/// <summary>The program with batches whose facts a test writes itself, and callers that are looked at again after a moment.</summary>
public sealed class LiveApp : IAsyncDisposable
{
    private readonly AdminApp _base = new();
    private readonly WebApplicationFactory<Program> _app;

    public LiveApp(params (string Key, string Value)[] settings) => _app = _base.WithWebHostBuilder(b =>
    {
        foreach (var (key, value) in settings) b.UseSetting(key, value);
        b.ConfigureTestServices(s => s.Configure<ParserPoolOptions>(o => o.Command = Parsing.WorkerProcess.Command).AddSingleton(p => new LiveCallers(p.GetRequiredService<Callers>(), TimeProvider.System, p.GetRequiredService<ILogger<LiveCallers>>()) { Interval = TimeSpan.FromMilliseconds(100) }));
    });

    public IServiceProvider Services => _app.Services;

    public NpgsqlDataSource Worker => Services.GetRequiredService<Database>().Worker;

    public TestServer Server => _app.Server;

    /// <summary>Feeds that run.</summary>
    internal int Feeds => Services.GetRequiredService<LiveBatches>().Count;

    internal async Task<Person> PersonAsync(Role role = Role.Operator)
    {
        using var warm = _app.CreateClient();
        return await new People(Services).MakeAsync(role);
    }

    public HttpClient Client(string key)
    {
        var client = _app.CreateClient(new() { AllowAutoRedirect = false, HandleCookies = false });
        client.DefaultRequestHeaders.Add("X-Api-Key", key);
        return client;
    }

    /// <summary>A program on this machine that sends no credential.</summary>
    public HttpClient Anonymous() => _app.CreateClient(new() { AllowAutoRedirect = false, HandleCookies = false });

    /// <summary>A running batch of somebody's, with an item that another worker holds, so that nothing happens to it by itself.</summary>
    public Task<(long Id, string PublicId)> BatchAsync(string person) => HeldBatch.MakeAsync(Worker, person);

    /// <summary>Writes facts in one transaction and hints at them; the last number.</summary>
    public async Task<long> AppendAsync(long batch, int count = 1, string? data = null)
    {
        await using var connection = await Worker.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var last = await ImportEvents.AppendAsync(connection, batch, [.. Enumerable.Range(0, count).Select(n => new NewEvent(EventKinds.StageDone, Stage: "acquire", Data: data ?? $$"""{"n":{{n}}}"""))], CancellationToken.None);
        await transaction.CommitAsync();
        Services.GetRequiredService<BatchHub>().Changed(batch);
        return last;
    }

    public Task RevokeAsync(string key) => Worker.QueryAsync<object>("UPDATE ingestion.api_key SET revoked_at = now() WHERE hash = $1", AccessToken.Hash(key));

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _base.DisposeAsync();
    }
}
