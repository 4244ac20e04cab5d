using Ingestion.Core.Data;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Ingestion.Tests.Support;

/// <summary>The spine's services on one database, without a host: nothing runs that a test does not run.</summary>
internal sealed class Spine : IAsyncDisposable
{
    public Spine(Database database, PipelineOptions? options = null, NpgsqlDataSource? worker = null)
    {
        Database = database;
        // No heartbeat: rescues do not wait for workers of a server that has just started.
        Options = options ?? new() { Heartbeat = TimeSpan.Zero };
        worker ??= database.Worker;
        Hints = new(worker, Hub, NullLogger<Hints>.Instance);
        Waker = new(Hub);
        Events = new(worker, Hub);
        Settler = new(worker, Hints, new RetryPolicy(Options.Retry, []), Running, NullLogger<TaskSettler>.Instance);
        Control = new(worker, Hints, Waker, NullLogger<BatchControl>.Instance);
        Retry = new(worker, Hints, Waker);
        Items = new(worker, Hints, Waker);
        Deletion = new(worker, Control, Hints);
        Duties = new(worker, Control, Hints, Waker, Options, NullLogger<BatchDuties>.Instance);
        Submission = new(worker, Hints, Waker, Duties, Options, NullLogger<Submission>.Instance);
    }

    public Database Database { get; }
    public PipelineOptions Options { get; }
    public BatchHub Hub { get; } = new();
    public Hints Hints { get; }
    public StageWaker Waker { get; }
    public ImportEvents Events { get; }
    public RunningTasks Running { get; } = new();
    public TaskSettler Settler { get; }
    public BatchControl Control { get; }
    public BatchRetry Retry { get; }
    public ItemControl Items { get; }
    public BatchDelete Deletion { get; }
    public BatchDuties Duties { get; }
    public Submission Submission { get; }

    public async Task<IReadOnlyList<ClaimedTask>> ClaimAsync(Stage stage = Stage.Acquire, int limit = 100, string worker = "w1", TimeSpan? lease = null, bool smallOnly = false)
    {
        await using var connection = await Database.Worker.OpenConnectionAsync();
        return await ImportQueue.ClaimAsync(connection, stage, worker, limit, lease ?? TimeSpan.FromSeconds(30), CancellationToken.None, smallOnly);
    }

    public Task<bool> DoneAsync(ClaimedTask task, SaveOutput? save = null) => Settler.SettleAsync(task, new StageOutcome.Done(save), CancellationToken.None);

    public Task<bool> FailAsync(ClaimedTask task, ErrorCode code, int maxRetries = 3) =>
        Settler.FailAsync(task, new(code, "It failed."), null, maxRetries, CancellationToken.None);

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
