using System.Globalization;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Webhooks;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Ingestion.Tests.Webhooks;

/// <summary>The desk, the announcer and the sender on a database of a test; nothing runs by itself, and the database's clock is the test's.</summary>
internal sealed class WebhookRig : IAsyncDisposable
{
    private readonly TemporaryDirectory _data = new();
    private readonly TestDatabase _test;
    private readonly Database _database;
    private readonly ServiceProvider _services;

    /// <param name="receiver">Whom the settings let be reached; any other address of this machine is refused.</param>
    public WebhookRig(TestDatabase test, Receiver? receiver, params (string Key, string Value)[] settings)
    {
        _test = test;
        _database = new Database(test.ConnectionString);
        var all = new Dictionary<string, string?> { ["Ingestion:Webhooks:AllowHttp"] = "true", ["Ingestion:Webhooks:Timeout"] = "00:00:02" };
        if (receiver is not null) all["Ingestion:Acquire:AllowedTargets:0"] = receiver.Target;
        foreach (var (key, value) in settings) all[key] = value;
        _services = new ServiceCollection().AddCore(_database, _data.Path, all).AddSingleton<WebhookSender>().AddSingleton<AnnounceDownloads>().BuildServiceProvider();
        Make = new(_database.Worker);
    }

    public static Actor Actor { get; } = new("default", "test");

    public Make Make { get; }

    public NpgsqlDataSource Worker => _database.Worker;

    public WebhookDesk Desk => _services.GetRequiredService<WebhookDesk>();

    public WebhookQueries Queries => _services.GetRequiredService<WebhookQueries>();

    public WebhookSender Sender => _services.GetRequiredService<WebhookSender>();

    public T Get<T>() where T : notnull => _services.GetRequiredService<T>();

    public async Task<string> EndpointAsync(Receiver receiver, int concurrency = 2, params string[] events) =>
        (await Desk.CreateAsync(Actor, new(receiver.Url, events.Length == 0 ? null : events, Concurrency: concurrency), CancellationToken.None)).Id;

    /// <summary>A batch that runs, with one document that is at a stage.</summary>
    public async Task<long> BatchAsync(Stage stage = Stage.Acquire)
    {
        var batch = await Make.Batch();
        await Make.Task(batch, stage: stage);
        return batch;
    }

    /// <summary>Ends a batch as its last settling does: the row, in a transaction.</summary>
    public Task EndAsync(long batch, BatchState state = BatchState.Completed) => Worker.QueryAsync<object>("""
        UPDATE ingestion.import_batch SET state = $2, completed_at = now(), final_counts = '{"Total":1,"Done":1,"Skipped":0,"Failed":0,"Rejected":0,"Cancelled":0,"AwaitingReview":0}' WHERE id = $1
        """, batch, state.Word());

    public Task AnnounceAsync() => _services.GetRequiredService<AnnounceDownloads>().RunAsync(new(DateTimeOffset.UtcNow, null), CancellationToken.None);

    public Task<int> SendAsync() => Sender.SendDueAsync(CancellationToken.None);

    /// <summary>Sets the database's clock so far ahead, for every connection from now on.</summary>
    public async Task AheadAsync(TimeSpan ahead)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Database = _test.Name, Pooling = false }.ConnectionString);
        await source.QueryAsync<object>($"ALTER DATABASE {_test.Name} SET ingestion.clock_offset = '{ahead.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s'");
        Worker.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _database.DisposeAsync();
        _data.Dispose();
    }
}
