using Ingestion.Core;
using Ingestion.Core.Data;
using Ingestion.Core.Events;
using Ingestion.Core.Indexing;
using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Settings;
using Ingestion.Core.Sources;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Shouldly;

namespace Ingestion.Tests.Support;

/// <summary>The whole pipeline in this process, on a database and a data directory of its own, with short leases and quick retries.</summary>
public sealed class PipelineHost : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TestDatabase? _test;
    private readonly TemporaryDirectory _data;
    private readonly Database _database;
    private readonly IHost _host;

    private PipelineHost(TestDatabase? test, TemporaryDirectory data, Database database, IHost host) =>
        (_test, _data, _database, _host) = (test, data, database, host);

    public static Actor Actor { get; } = new("default", "test");

    public string Data => _data.Path;

    public NpgsqlDataSource Worker => _database.Worker;

    /// <summary>Starts the pipeline; <paramref name="settings"/> go over those of these tests.</summary>
    public static Task<PipelineHost> StartAsync(params (string Key, string Value)[] settings) => StartAsync(_ => { }, settings);

    /// <summary>The same with services that <paramref name="change"/> replaces.</summary>
    public static async Task<PipelineHost> StartAsync(Action<IServiceCollection> change, params (string Key, string Value)[] settings)
    {
        var test = await PostgresServer.CreateDatabaseAsync();
        return await StartAsync(test, test.ConnectionString, change, settings);
    }

    /// <summary>The same on a database that another process made and removes.</summary>
    public static Task<PipelineHost> StartOnAsync(string connectionString, params (string Key, string Value)[] settings) => StartAsync(null, connectionString, _ => { }, settings);

    private static async Task<PipelineHost> StartAsync(TestDatabase? test, string connectionString, Action<IServiceCollection> change, (string Key, string Value)[] settings)
    {
        var data = new TemporaryDirectory("pipeline-");
        var database = new Database(connectionString);
        var builder = new HostApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Ingestion:Data"] = data.Path,
            ["Ingestion:Pipeline:Lease"] = "00:00:03",
            ["Ingestion:Pipeline:Heartbeat"] = "00:00:01",
            ["Ingestion:Pipeline:Sweep"] = "00:00:01",
            ["Ingestion:Pipeline:Retry:InitialDelay"] = "00:00:00.050",
            ["Ingestion:Acquire:RequestsPerMinutePerHost"] = "0",
            ["Ingestion:Acquire:RetryIntervals:0"] = "00:00:00.050",
        });
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)));
        builder.Services.AddIngestionOptions().AddIngestion(database).AddPipeline();
        builder.Services.Configure<ParserPoolOptions>(o => o.Command = Parsing.WorkerProcess.Command);
        change(builder.Services);
        var host = builder.Build();
        await host.StartAsync();
        return new(test, data, database, host);
    }

    public T Get<T>() where T : notnull => _host.Services.GetRequiredService<T>();

    /// <summary>Uploads a file and returns its id.</summary>
    public async Task<string> UploadAsync(string path, byte[] content, string purpose = "file")
    {
        var uploads = Get<UploadStore>();
        var upload = await uploads.CreateAsync(Actor, new(path, content.Length, Purpose: purpose), CancellationToken.None);
        if (content.Length > 0) (await uploads.WriteAsync(Actor.TenantId, upload.PublicId, 0, new MemoryStream(content), CancellationToken.None)).ShouldBe(content.Length);
        return upload.PublicId;
    }

    public async Task<string> UploadAsync(string path, string content) => await UploadAsync(path, System.Text.Encoding.UTF8.GetBytes(content));

    public Task<Submitted> SubmitAsync(SubmissionRequest request) => Get<Submission>().SubmitAsync(Actor, request, null, CancellationToken.None);

    /// <summary>Submits a batch and waits until it ended.</summary>
    public async Task<BatchView> RunAsync(SubmissionRequest request) => await EndedAsync(await SubmitAsync(request));

    /// <summary>The batch once it has ended; fails with what is still open where that takes too long.</summary>
    public async Task<BatchView> EndedAsync(Submitted batch, TimeSpan? patience = null)
    {
        using var deadline = new CancellationTokenSource(patience ?? Patience);
        using var hints = Get<BatchHub>().Subscribe(batch.BatchId);
        while (true)
        {
            var view = await FindAsync(batch);
            await Reasons.AssertAllAsync(Worker, Get<PipelineOptions>());
            if (view.State.IsFinal()) return view;
            if (deadline.IsCancellationRequested)
                throw new ShouldAssertException($"Batch {batch.BatchId} is {view.State} with {view.Counts}:\n" + string.Join('\n', (await ItemsAsync(batch)).Where(i => i.State == ItemState.Open).Take(20)));
            await hints.WaitAsync(TimeSpan.FromSeconds(1), CancellationToken.None);
        }
    }

    public async Task<BatchView> FindAsync(Submitted batch) => (await Get<BatchQueries>().FindAsync(Actor.TenantId, batch.PublicId, CancellationToken.None))!;

    /// <summary>Every item of a batch, in the order of submission.</summary>
    public async Task<IReadOnlyList<ItemView>> ItemsAsync(Submitted batch) =>
        (await Get<BatchQueries>().ItemsAsync(Actor.TenantId, batch.BatchId, new(), 0, 10_000, CancellationToken.None)).Rows;

    public async Task<IReadOnlyList<SearchHit>> SearchAsync(string text, string? collection = null, IReadOnlyDictionary<string, string>? filter = null) =>
        (await Get<SearchService>().SearchAsync(Actor.TenantId, new(text, collection, filter), CancellationToken.None)).Hits;

    /// <summary>The first column of every row.</summary>
    public async Task<IReadOnlyList<T>> QueryAsync<T>(string sql, params object[] parameters)
    {
        await using var command = Worker.CreateCommand(sql);
        foreach (var p in parameters) command.Parameters.Add(new() { Value = p });
        await using var r = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await r.ReadAsync()) rows.Add(r.GetFieldValue<T>(0));
        return rows;
    }

    /// <summary>Asks again and again until a query answers true.</summary>
    public Task UntilAsync(string sql, params object[] parameters) =>
        Eventually.IsAsync(async () => (await QueryAsync<bool>(sql, parameters)).SequenceEqual([true]), sql, (int)Patience.TotalSeconds);

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        if (_host is IAsyncDisposable host) await host.DisposeAsync();
        await _database.DisposeAsync();
        if (_test is not null) await _test.DisposeAsync();
        _data.Dispose();
    }
}
