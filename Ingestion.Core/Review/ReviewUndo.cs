using System.Text.Json;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Npgsql;

namespace Ingestion.Core.Review;

/// <summary>
/// Takes decisions back, the last one first. What a document did since is cancelled, what it published is revoked (unless somebody else's document
/// stands on the same version), and it waits at review with the fields it had.
/// </summary>
internal static class ReviewUndo
{
    public static async Task<DecisionStep> RunAsync(NpgsqlConnection connection, Actor actor, BatchRow batch, HeldReview held, CancellationToken ct)
    {
        if (await LastAsync(connection, held.Id, ct) is not { } last) return DecisionStep.Refuse("Nothing was decided that could be taken back.");
        var before = DecisionBefore.Parse(last.Before);
        var events = last.Action switch
        {
            ReviewActions.Approve or ReviewActions.Reject or ReviewActions.SendBack => await ReopenAsync(connection, held, before, ct),
            ReviewActions.Unsure => await UnmarkAsync(connection, held, before, ct),
            _ => await UnlinkAsync(connection, actor, held, before, last, ct),
        };
        if (events.Events is not { } moved) return events;
        await ReviewRows.RecordAsync(connection, actor, ReviewActions.Undo, [new(held.Id, DecisionBefore.Of(held, held.Confidence).ToJson(), JsonSerializer.Serialize(new { action = last.Action }), last.Id)], null, ct);
        moved.Insert(0, ReviewMoves.Decided(actor, ReviewActions.Undo, held.ItemId));
        return new(moved, $"Taken back: {last.Action.Replace('_', ' ')}.");
    }

    private static async Task<DecisionStep> UnmarkAsync(NpgsqlConnection connection, HeldReview held, DecisionBefore before, CancellationToken ct)
    {
        if (held.State != ReviewStates.Open) return DecisionStep.Refuse("The document was decided since; take that back first.");
        await ReviewRows.SetUnsureAsync(connection, held, before.Unsure, ct);
        return new([], "");
    }

    private static async Task<DecisionStep> UnlinkAsync(NpgsqlConnection connection, Actor actor, HeldReview held, DecisionBefore before, LastDecision last, CancellationToken ct)
    {
        if (held.State != ReviewStates.Open) return DecisionStep.Refuse("The document was decided since; take that back first.");
        var fields = before.Fields.GetRawText();
        var changed = JsonDocument.Parse(last.Chosen).RootElement.GetProperty("field").GetString();
        var type = ResolvedField.FromJson(fields).First(f => f.Name == changed).EntityType!;
        if (await EntityLinks.UndoAsync(connection, actor, held.ItemId, before, type, ct) is { } problem) return DecisionStep.Refuse(problem);
        await ReviewRows.SetFieldsAsync(connection, held, fields, before.Confidence, ct);
        return new([], "");
    }

    private static async Task<DecisionStep> ReopenAsync(NpgsqlConnection connection, HeldReview held, DecisionBefore before, CancellationToken ct)
    {
        if (held.State is ReviewStates.Open or ReviewStates.Withdrawn) return DecisionStep.Refuse("Its document has gone another way since.");
        if (await HasLaterDecisionAsync(connection, held, ct)) return DecisionStep.Refuse("The document was decided again since; take that back first.");
        var events = await CancelOpenAsync(connection, held.ItemId, ct);
        await ExecuteAsync(connection, """
            UPDATE ingestion.review_item SET state = 'withdrawn', version = version + 1, decided_at = ingestion.clock(), decision_reason = 'The decision before it was taken back.'
            WHERE item_id = @item AND id > @review AND state = 'open';
            -- Readers see what they saw before, unless another document stands on the same version.
            UPDATE ingestion.publication p SET revoked_at = ingestion.clock()
            FROM ingestion.import_item i
            WHERE i.id = @item AND i.state = 'done' AND p.document_version_id = i.document_version_id AND p.batch_id = i.batch_id AND p.revoked_at IS NULL
              AND NOT EXISTS (SELECT FROM ingestion.import_item o WHERE o.document_version_id = i.document_version_id AND o.id <> i.id AND o.state = 'done');
            UPDATE ingestion.import_item i
            SET document_version_id = v.id, source_version_id = v.source_version_id, chunk_count = v.chunk_count, generation_id = NULL
            FROM ingestion.document_version v WHERE i.id = @item AND v.id = @version;
            DELETE FROM ingestion.content_claim WHERE item_id = @item;
            """, [new("item", held.ItemId), new("review", held.Id), new("version", (object?)before.DocumentVersion ?? DBNull.Value) { NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint }], ct);
        await ReviewRows.OpenTasksAsync(connection, [held.ItemId], Stage.Review, ct);
        await ReviewRows.SetFieldsAsync(connection, held, before.Fields.GetRawText(), before.Confidence, ct);
        // Its fence has moved already.
        await ExecuteAsync(connection, "UPDATE ingestion.review_item SET state = 'open', decided_at = NULL, decided_by = NULL, decision_reason = NULL WHERE id = @review", [new("review", held.Id)], ct);
        events.Add(new(EventKinds.ItemRetried, held.ItemId, null, Stage.Review.Word()));
        events.Add(new(EventKinds.ReviewRequested, held.ItemId, null, Stage.Review.Word()));
        return new(events, "");
    }

    private static async Task<List<NewEvent>> CancelOpenAsync(NpgsqlConnection connection, long item, CancellationToken ct)
    {
        const string sql = """
            UPDATE ingestion.import_task_run SET state = 'cancelled', finished_at = ingestion.clock(), lease_until = NULL, error_code = 'cancelled'
            WHERE item_id = @item AND state IN ('ready', 'running', 'blocked')
            RETURNING id, stage
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("item", item) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var events = new List<NewEvent>();
        while (await r.ReadAsync(ct)) events.Add(new(EventKinds.ItemCancelled, item, r.GetInt64(0), r.GetString(1), """{"reason":"The decision was taken back."}"""));
        return events;
    }

    private static async Task<LastDecision?> LastAsync(NpgsqlConnection connection, long review, CancellationToken ct)
    {
        const string sql = """
            SELECT d.id, d.action, d.before::text, d.chosen::text FROM ingestion.review_decision d
            WHERE d.review_id = $1 AND d.undoes IS NULL AND NOT EXISTS (SELECT FROM ingestion.review_decision u WHERE u.undoes = d.id)
            ORDER BY d.id DESC
            LIMIT 1
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = review } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        return await r.ReadAsync(ct) ? new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3)) : null;
    }

    private static async Task<bool> HasLaterDecisionAsync(NpgsqlConnection connection, HeldReview held, CancellationToken ct) =>
        await ExistsAsync(connection, "SELECT FROM ingestion.review_item WHERE item_id = $1 AND id > $2 AND state NOT IN ('open', 'withdrawn')", [held.ItemId, held.Id], ct);

    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, string sql, long[] ids, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand($"SELECT EXISTS ({sql})", connection);
        foreach (var id in ids) command.Parameters.Add(new() { Value = id });
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(ct);
    }

    private sealed record LastDecision(long Id, string Action, string Before, string Chosen);
}
