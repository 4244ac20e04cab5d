using System.Globalization;
using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Tests.Support;

/// <summary>Rows of the pipeline with only what matters to a test; everything else is as a running batch would have it.</summary>
internal sealed class Make(NpgsqlDataSource worker)
{
    public const string Tenant = "default";
    private readonly NpgsqlDataSource _worker = worker;
    private int _made;

    public static Actor Actor { get; } = new(Tenant, "test");

    /// <summary>A batch with its jobs and event numbers; jobs are active where the state says that it works.</summary>
    public async Task<long> Batch(
        BatchState state = BatchState.Running, DesiredState? desired = null, int maxWorkers = 4, Priority priority = Priority.Normal,
        bool draft = false, string tenant = Tenant, TimeSpan? age = null)
    {
        const string sql = """
            WITH c AS (
                SELECT id FROM ingestion.collection WHERE tenant_id = @tenant AND key = 'default'
            ), b AS (
                INSERT INTO ingestion.import_batch
                    (tenant_id, public_id, collection_id, name, priority, state, desired_state, draft, auto_start, options, created_by, created_at, started_at, completed_at)
                SELECT @tenant, @public, c.id, @public, @priority, @state, @desired, @draft, true, '{}', 'test', now() - @age,
                       CASE WHEN @active THEN now() END, CASE WHEN @final THEN now() END
                FROM c
                RETURNING id, tenant_id
            ), s AS (
                INSERT INTO ingestion.import_batch_seq (batch_id, tenant_id, seq) SELECT id, tenant_id, 1 FROM b
            ), e AS (
                INSERT INTO ingestion.import_event (batch_id, seq, tenant_id, kind) SELECT id, 1, tenant_id, 'batch_submitted' FROM b
            ), j AS (
                INSERT INTO ingestion.import_job (tenant_id, batch_id, stage, active, served_at, turn_shift, max_workers)
                SELECT b.tenant_id, b.id, s, @active, now(), @shift, @workers FROM b, unnest(@stages) s
            )
            SELECT id FROM b
            """;
        await using var command = _worker.CreateCommand(sql);
        command.Parameters.AddRange(new NpgsqlParameter[]
        {
            new("tenant", tenant), new("public", PublicId.New("job_")), new("priority", priority.Word()), new("state", state.Word()),
            new("desired", (desired ?? (state == BatchState.Paused ? DesiredState.Pause : DesiredState.Run)).Word()), new("draft", draft),
            new("age", age ?? TimeSpan.Zero), new("active", state is BatchState.Running or BatchState.Retrying), new("final", state.IsFinal()),
            new("shift", LaunchItems.TurnShift(priority)), new("workers", maxWorkers), new("stages", StageOrder.All.Select(s => s.Word()).ToArray()),
        });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    public async Task<long> Item(long batch, ItemState state = ItemState.Open, Stage stage = Stage.Acquire, string? code = null)
    {
        const string sql = """
            INSERT INTO ingestion.import_item (tenant_id, batch_id, source_type, source_key, row, name, metadata, state, stage, step, progress_current, error_code, error_message, completed_at)
            SELECT tenant_id, id, 'url', @key, 0, @key, '{}', @state, @stage, CASE WHEN @state = 'open' THEN 'pending' ELSE 'finished' END, 0,
                   @code, @code, CASE WHEN @state <> 'open' THEN now() END
            FROM ingestion.import_batch WHERE id = @batch
            RETURNING id
            """;
        await using var command = _worker.CreateCommand(sql);
        command.Parameters.AddRange(new NpgsqlParameter[]
        {
            new("batch", batch), new("key", string.Create(CultureInfo.InvariantCulture, $"https://example.org/{Interlocked.Increment(ref _made)}")),
            new("state", state.Word()), new("stage", stage.Word()),
            new("code", NpgsqlDbType.Text) { Value = (object?)(code ?? (state == ItemState.Failed ? ErrorCodes.NotFound.Code : null)) ?? DBNull.Value },
        });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>A task with an item of its own (discover: an input), in a batch of its own where none is given.</summary>
    /// <param name="lease">What is left of the lease of a running one; negative for one that has expired.</param>
    /// <param name="due">From now; negative for the past.</param>
    /// <param name="attempt">Counts the claims; as many as failures and crashes need where none is given.</param>
    public async Task<ClaimedTask> Task(
        long? batch = null, TaskState state = TaskState.Ready, Stage stage = Stage.Acquire, TimeSpan? lease = null, TimeSpan? due = null,
        int? attempt = null, int failures = 0, int crashes = 0, string heldBy = "w1", long? item = null)
    {
        batch ??= await Batch();
        attempt ??= failures + crashes + (state == TaskState.Ready ? 0 : 1);
        long? input = stage == Stage.Discover ? await Input(batch.Value) : null;
        if (input is null) item ??= await Item(batch.Value, stage: stage);
        const string sql = """
            INSERT INTO ingestion.import_task_run
                (tenant_id, batch_id, job_id, item_id, input_id, stage, state, attempt, failures, crashes, scheduled_at, lease_until, worker, claimed_at, finished_at)
            SELECT tenant_id, batch_id, id, @item, @input, @stage, @state, @attempt, @failures, @crashes, ingestion.clock() + @due,
                   CASE WHEN @state = 'running' THEN ingestion.clock() + @lease END, CASE WHEN @attempt > 0 THEN @worker END,
                   CASE WHEN @attempt > 0 THEN ingestion.clock() END, CASE WHEN @final THEN ingestion.clock() END
            FROM ingestion.import_job WHERE batch_id = @batch AND stage = @stage
            RETURNING id, job_id, tenant_id
            """;
        await using var command = _worker.CreateCommand(sql);
        command.Parameters.AddRange(new NpgsqlParameter[]
        {
            new("batch", batch), new("item", NpgsqlDbType.Bigint) { Value = (object?)item ?? DBNull.Value }, new("input", NpgsqlDbType.Bigint) { Value = (object?)input ?? DBNull.Value },
            new("stage", stage.Word()), new("state", state.Word()), new("attempt", attempt), new("failures", failures), new("crashes", crashes),
            new("due", due ?? TimeSpan.Zero), new("lease", lease ?? TimeSpan.FromSeconds(30)), new("worker", heldBy), new("final", state.IsFinal()),
        });
        await using var r = await command.ExecuteReaderAsync();
        await r.ReadAsync();
        return new(r.GetInt64(0), attempt.Value, r.GetString(2), batch.Value, r.GetInt64(1), item, input, stage, failures, crashes, null);
    }

    public async Task<long> Input(long batch, ItemState state = ItemState.Open)
    {
        const string sql = """
            INSERT INTO ingestion.import_input (tenant_id, batch_id, ordinal, source_type, spec, state, discovered, completed_at)
            SELECT b.tenant_id, b.id, (SELECT count(*) FROM ingestion.import_input WHERE batch_id = b.id), 'manifest', '{"upload":"up_x","url_column":"url"}', @state, 0,
                   CASE WHEN @state <> 'open' THEN now() END
            FROM ingestion.import_batch b WHERE b.id = @batch
            RETURNING id
            """;
        await using var command = _worker.CreateCommand(sql);
        command.Parameters.AddRange(new NpgsqlParameter[] { new("batch", batch), new("state", state.Word()) });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Another tenant with its default collection.</summary>
    public async Task OtherTenant(string tenant)
    {
        await _worker.QueryAsync<object>("INSERT INTO ingestion.tenant (id, name) VALUES ($1, $1)", tenant);
        await _worker.QueryAsync<object>("INSERT INTO ingestion.collection (tenant_id, key, name) VALUES ($1, 'default', 'Default')", tenant);
    }
}
