using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Events;

/// <summary>A fact about to be written. Data is a JSON object or null.</summary>
public sealed record NewEvent(string Kind, long? ItemId = null, long? TaskId = null, string? Stage = null, string? Data = null);

/// <summary>A fact as it stands in the log.</summary>
public sealed record StoredEvent(long BatchId, long Seq, DateTimeOffset At, string Kind, long? ItemId, long? TaskId, string? Stage, string? Data);

/// <summary>
/// Appends to the log and follows it. A batch's numbers come from one row that is locked last in each transaction, so number order is
/// commit order and there are no gaps; whoever follows by number misses nothing.
/// </summary>
public sealed class ImportEvents(NpgsqlDataSource worker, BatchHub hub)
{
    private static readonly TimeSpan PollWithoutHints = TimeSpan.FromSeconds(2);

    private const string AppendSql = """
        WITH taken AS (
            UPDATE ingestion.import_batch_seq SET seq = seq + @count WHERE batch_id = @batch RETURNING seq - @count AS start, tenant_id
        ), written AS (
            INSERT INTO ingestion.import_event (batch_id, seq, tenant_id, at, kind, item_id, task_id, stage, data)
            SELECT @batch, taken.start + e.ord, taken.tenant_id, ingestion.clock() + (clock_timestamp() - now()), e.kind, e.item, e.task, e.stage, e.data::jsonb
            FROM taken, unnest(@kinds, @items, @tasks, @stages, @datas) WITH ORDINALITY AS e (kind, item, task, stage, data, ord)
        )
        SELECT start + @count FROM taken
        """;

    /// <summary>Writes facts of one batch and returns the last number. Call it as the last write of the transaction.</summary>
    public static async Task<long> AppendAsync(NpgsqlConnection connection, long batchId, IReadOnlyList<NewEvent> events, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(AppendSql, connection);
        Describe(command.Parameters, batchId, events);
        return (long)(await command.ExecuteScalarAsync(ct) ?? throw new InvalidOperationException($"batch {batchId} has no event numbers"));
    }

    /// <summary>The same write for a command batch, which sends what follows it in the same round trip; its one row is the last number.</summary>
    internal static NpgsqlBatchCommand Append(long batchId, IReadOnlyList<NewEvent> events)
    {
        var command = new NpgsqlBatchCommand(AppendSql);
        Describe(command.Parameters, batchId, events);
        return command;
    }

    private static void Describe(NpgsqlParameterCollection parameters, long batchId, IReadOnlyList<NewEvent> events) => parameters.AddRange(new NpgsqlParameter[]
    {
        new("batch", batchId),
        new("count", (long)events.Count),
        new("kinds", events.Select(e => e.Kind).ToArray()),
        new("items", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = events.Select(e => e.ItemId).ToArray() },
        new("tasks", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = events.Select(e => e.TaskId).ToArray() },
        new("stages", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = events.Select(e => e.Stage).ToArray() },
        new("datas", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = events.Select(e => e.Data).ToArray() },
    });

    /// <summary>Up to <paramref name="limit"/> facts after a number, in order. Call with a tenant's batch only.</summary>
    public async Task<IReadOnlyList<StoredEvent>> ReadAsync(long batchId, long afterSeq, int limit, CancellationToken ct)
    {
        const string sql = """
            SELECT batch_id, seq, at, kind, item_id, task_id, stage, data::text
            FROM ingestion.import_event
            WHERE batch_id = $1 AND seq > $2
            ORDER BY seq
            LIMIT $3
            """;
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = batchId }, new() { Value = afterSeq }, new() { Value = limit } } };
        await using var reader = await command.ExecuteReaderAsync(ct);
        var events = new List<StoredEvent>();
        while (await reader.ReadAsync(ct))
            events.Add(new(reader.GetInt64(0), reader.GetInt64(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetString(3),
                reader.IsDBNull(4) ? null : reader.GetInt64(4), reader.IsDBNull(5) ? null : reader.GetInt64(5),
                reader.IsDBNull(6) ? null : reader.GetString(6), reader.IsDBNull(7) ? null : reader.GetString(7)));
        return events;
    }

    /// <summary>The number of a batch's last fact; 0 before the first.</summary>
    public async Task<long> LastAsync(long batchId, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT seq FROM ingestion.import_batch_seq WHERE batch_id = $1");
        command.Parameters.Add(new() { Value = batchId });
        return await command.ExecuteScalarAsync(ct) is long seq ? seq : 0;
    }

    /// <summary>
    /// Every fact after a number, then those to come, without gap or repeat, until cancelled. Subscribes before it reads; a lost hint
    /// costs two seconds, never a fact.
    /// </summary>
    public async IAsyncEnumerable<StoredEvent> FollowAsync(long batchId, long afterSeq, [EnumeratorCancellation] CancellationToken ct)
    {
        using var hints = hub.Subscribe(batchId);
        while (true)
        {
            var page = await ReadAsync(batchId, afterSeq, 500, ct);
            foreach (var e in page) yield return e;
            if (page.Count > 0) afterSeq = page[^1].Seq;
            if (page.Count == 500) continue;
            await hints.WaitAsync(PollWithoutHints, ct);
        }
    }
}
