using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Review;

/// <summary>A review under lock, with where its document stands.</summary>
/// <param name="Task">The blocked task that waits for the decision; null where there is none any more.</param>
internal sealed record HeldReview(
    long Id, string State, int Version, long ItemId, long? Task, ItemState ItemState, Stage ItemStage, long? DocumentVersionId, long CollectionId, string Fields, double? Confidence, long? RecordTypeId,
    string? DecidedBy, DateTimeOffset? DecidedAt, UnsureMark? Unsure);

/// <summary>
/// The statements by which decisions move tasks, items and reviews. Tasks are locked first, then reviews, then (by the caller) the batch's event
/// numbers: the order of a settling.
/// </summary>
internal static class ReviewRows
{
    /// <summary>Asks about an item; at most one question an item is open, however often its save runs.</summary>
    public static async Task OpenAsync(NpgsqlConnection connection, WorkItem item, IReadOnlyList<string> reasons, double? confidence, double? quality, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.review_item (tenant_id, collection_id, batch_id, item_id, state, reasons, confidence, quality, created_at)
            VALUES (@tenant, @collection, @batch, @item, 'open', @reasons, @confidence, @quality, ingestion.clock())
            ON CONFLICT (item_id) WHERE state = 'open' DO UPDATE SET reasons = excluded.reasons, confidence = excluded.confidence, quality = excluded.quality
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", item.TenantId), new("collection", item.CollectionId), new("batch", item.BatchId), new("item", item.ItemId), new("reasons", reasons.ToArray()),
                new("confidence", NpgsqlDbType.Double) { Value = (object?)confidence ?? DBNull.Value }, new("quality", NpgsqlDbType.Double) { Value = (object?)quality ?? DBNull.Value },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Locks reviews of one batch, with the blocked tasks of their items, in the order of numbers.</summary>
    public static async Task<IReadOnlyList<HeldReview>> HoldAsync(NpgsqlConnection connection, IReadOnlyList<long> reviews, CancellationToken ct)
    {
        const string sql = """
            WITH asked AS MATERIALIZED (
                SELECT id, item_id FROM ingestion.review_item WHERE id = ANY(@reviews)
            ), tasks AS MATERIALIZED (
                SELECT t.id, t.item_id, t.state, t.stage FROM ingestion.import_task_run t JOIN asked a ON a.item_id = t.item_id
                WHERE t.state IN ('ready', 'running', 'blocked')
                ORDER BY t.id
                FOR NO KEY UPDATE OF t
            ), held AS MATERIALIZED (
                SELECT r.* FROM ingestion.review_item r JOIN asked a ON a.id = r.id WHERE (SELECT count(*) FROM tasks) >= 0 ORDER BY r.id FOR UPDATE OF r
            )
            SELECT h.id, h.state, h.version, h.item_id, t.id, i.state, i.stage, i.document_version_id, h.collection_id, coalesce(f.fields, '[]')::text, f.confidence, f.record_type_id, h.decided_by, h.decided_at,
                   h.unsure_by, h.unsure_reason, h.unsure_at
            FROM held h
            JOIN ingestion.import_item i ON i.id = h.item_id
            LEFT JOIN tasks t ON t.item_id = h.item_id AND t.state = 'blocked' AND t.stage = 'review'
            LEFT JOIN ingestion.item_record f ON f.item_id = h.item_id
            ORDER BY h.id
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("reviews", reviews.ToArray()) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var held = new List<HeldReview>();
        while (await r.ReadAsync(ct))
            held.Add(new(r.GetInt64(0), r.GetString(1), r.GetInt32(2), r.GetInt64(3), r.IsDBNull(4) ? null : r.GetInt64(4), StateWords.Parse<ItemState>(r.GetString(5)), StateWords.Parse<Stage>(r.GetString(6)),
                r.IsDBNull(7) ? null : r.GetInt64(7), r.GetInt64(8), r.GetString(9), r.IsDBNull(10) ? null : r.GetDouble(10), r.IsDBNull(11) ? null : r.GetInt64(11),
                r.IsDBNull(12) ? null : r.GetString(12), r.IsDBNull(13) ? null : r.GetFieldValue<DateTimeOffset>(13),
                r.IsDBNull(14) ? null : new(r.GetString(14), r.IsDBNull(15) ? null : r.GetString(15), r.GetFieldValue<DateTimeOffset>(16))));
        return held;
    }

    /// <summary>Ends the blocked tasks: the decision is their one attempt.</summary>
    public static Task EndTasksAsync(NpgsqlConnection connection, IEnumerable<HeldReview> held, CancellationToken ct) => RunAsync(connection, """
        UPDATE ingestion.import_task_run SET state = 'succeeded', attempt = attempt + 1, claimed_at = ingestion.clock(), finished_at = ingestion.clock()
        WHERE id = ANY(@ids) AND state = 'blocked'
        """, [.. held.Select(h => h.Task!.Value)], [], ct);

    /// <summary>Sends items to a stage: a task of theirs is ready there, or blocked where the stage is review.</summary>
    public static Task OpenTasksAsync(NpgsqlConnection connection, IEnumerable<long> items, Stage stage, CancellationToken ct) => RunAsync(connection, """
        WITH moved AS (
            UPDATE ingestion.import_item i
            SET state = 'open', stage = @stage, step = CASE WHEN @stage = 'review' THEN 'reviewing' ELSE 'pending' END, progress_current = 0, progress_total = NULL,
                progress_message = NULL, error_code = NULL, error_message = NULL, error_details = NULL, completed_at = NULL
            WHERE i.id = ANY(@ids)
            RETURNING i.id, i.tenant_id, i.batch_id
        )
        INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes, scheduled_at)
        SELECT m.tenant_id, m.batch_id, j.id, m.id, @stage, CASE WHEN @stage = 'review' THEN 'blocked' ELSE 'ready' END, 0, 0, 0, ingestion.clock()
        FROM moved m
        LEFT JOIN ingestion.import_job j ON j.batch_id = m.batch_id AND j.stage = @stage
        ORDER BY m.id
        """, [.. items], [new("stage", stage.Word())], ct);

    /// <summary>Ends reviews with a word, or opens them again; their fence moves on.</summary>
    public static Task SetStateAsync(NpgsqlConnection connection, IEnumerable<long> reviews, string state, string who, string? reason, CancellationToken ct) => RunAsync(connection, """
        UPDATE ingestion.review_item
        SET state = @state, version = version + 1, decided_at = CASE WHEN @state = 'open' THEN NULL ELSE ingestion.clock() END,
            decided_by = CASE WHEN @state = 'open' THEN NULL ELSE @who END, decision_reason = CASE WHEN @state = 'open' THEN NULL ELSE @reason END
        WHERE id = ANY(@ids)
        """, [.. reviews], [new("state", state), new("who", who), new("reason", NpgsqlDbType.Text) { Value = (object?)reason ?? DBNull.Value }], ct);

    /// <summary>Changes the fields of a record, and how sure they are.</summary>
    public static Task SetFieldsAsync(NpgsqlConnection connection, HeldReview review, string fields, double? confidence, CancellationToken ct) => RunAsync(connection, """
        WITH record AS (UPDATE ingestion.item_record SET fields = @fields, confidence = @confidence WHERE item_id = ANY(@ids))
        UPDATE ingestion.review_item SET version = version + 1, confidence = @confidence WHERE id = @review
        """, [review.ItemId], [new("review", review.Id), new("fields", NpgsqlDbType.Jsonb) { Value = fields }, new("confidence", NpgsqlDbType.Double) { Value = (object?)confidence ?? DBNull.Value }], ct);

    /// <summary>Marks a review as one that somebody was unsure of, or takes the mark away; it stays open.</summary>
    public static Task SetUnsureAsync(NpgsqlConnection connection, HeldReview review, UnsureMark? mark, CancellationToken ct) => RunAsync(connection, """
        UPDATE ingestion.review_item
        SET version = version + 1, unsure_by = @by, unsure_reason = @reason, unsure_at = CASE WHEN @by IS NOT NULL THEN coalesce(@at, ingestion.clock()) END
        WHERE id = ANY(@ids)
        """, [review.Id],
        [
            new("by", NpgsqlDbType.Text) { Value = (object?)mark?.By ?? DBNull.Value }, new("reason", NpgsqlDbType.Text) { Value = (object?)mark?.Reason ?? DBNull.Value },
            new("at", NpgsqlDbType.TimestampTz) { Value = mark is null || mark.At == default ? DBNull.Value : mark.At },
        ], ct);

    /// <summary>Writes what was decided, a row a review.</summary>
    public static Task RecordAsync(NpgsqlConnection connection, Actor actor, string action, IReadOnlyList<NewDecision> decisions, long? bulk, CancellationToken ct) => RunAsync(connection, """
        INSERT INTO ingestion.review_decision (tenant_id, batch_id, review_id, action, by, reason, before, chosen, undoes, bulk_id, at)
        SELECT r.tenant_id, r.batch_id, r.id, @action, @who, @reason, x.before::jsonb, x.chosen::jsonb, x.undoes, @bulk, ingestion.clock()
        FROM unnest(@ids, @befores, @chosen, @undoes) WITH ORDINALITY AS x (id, before, chosen, undoes, ord)
        JOIN ingestion.review_item r ON r.id = x.id
        ORDER BY x.ord
        """, [.. decisions.Select(d => d.Review)],
        [
            new("action", action), new("who", actor.Name), new("reason", NpgsqlDbType.Text) { Value = (object?)actor.Reason ?? DBNull.Value },
            new("befores", decisions.Select(d => d.Before).ToArray()), new("chosen", decisions.Select(d => d.Chosen).ToArray()),
            new("undoes", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = decisions.Select(d => d.Undoes).ToArray() },
            new("bulk", NpgsqlDbType.Bigint) { Value = (object?)bulk ?? DBNull.Value },
        ], ct);

    private static async Task RunAsync(NpgsqlConnection connection, string sql, long[] ids, NpgsqlParameter[] more, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("ids", ids) } };
        command.Parameters.AddRange(more);
        await command.ExecuteNonQueryAsync(ct);
    }
}

/// <summary>A decision about to be written.</summary>
/// <param name="Before">What it changes, as it stands: a JSON object.</param>
/// <param name="Chosen">What was chosen: a JSON object.</param>
internal sealed record NewDecision(long Review, string Before = "{}", string Chosen = "{}", long? Undoes = null);
