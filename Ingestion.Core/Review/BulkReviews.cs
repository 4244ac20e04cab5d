using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Review;

/// <summary>A bulk decision and how far it is.</summary>
/// <param name="Total">Reviews that the filter found when it was asked.</param>
/// <param name="PassedOver">Those that somebody else decided first.</param>
public sealed record BulkView(string PublicId, string Action, string State, int Total, int Decided, int PassedOver, string CreatedBy, DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt);

/// <summary>
/// One decision over everything that a filter finds. It is a row first; a duty carries it out in slices, each of which commits its decisions together
/// with how far it came, so that whoever goes on after a crash repeats nothing and leaves nothing out.
/// </summary>
public sealed class BulkReviews(Database database, Hints hints, StageWaker waker)
{
    /// <summary>Reviews decided in one transaction; the event numbers of their batch are held while it commits.</summary>
    private const int Slice = 200;

    private const string Columns = "public_id, action, state, total, decided, passed_over, created_by, created_at, finished_at";

    /// <summary>
    /// Begins to approve or reject what the filter finds now; what comes later is not meant. Rejecting wants a reason in the actor. Throws
    /// <c>invalid_option</c> for anything else.
    /// </summary>
    /// <param name="upTo">The last review that the person was shown: what came since is not meant either.</param>
    public async Task<BulkView> StartAsync(Actor actor, ReviewFilter filter, string action, CancellationToken ct, long? upTo = null)
    {
        if (action is not (ReviewActions.Approve or ReviewActions.Reject)) throw new IngestionException(ErrorCodes.InvalidOption, "Many reviews at once can be approved or rejected.");
        if (action == ReviewActions.Reject && string.IsNullOrWhiteSpace(actor.Reason)) throw new IngestionException(ErrorCodes.InvalidOption, "Say why they are rejected.");
        filter = filter with { State = ReviewStates.Open };
        var (total, through) = await MeantAsync(actor.Scope, filter, upTo, ct);
        const string sql = """
            INSERT INTO ingestion.review_bulk (tenant_id, public_id, action, reason, filter, reach, state, total, decided, passed_over, cursor, through, created_by, created_at)
            VALUES (@tenant, @public, @action, @reason, @filter, @reach, 'running', @total, 0, 0, 0, @through, @who, ingestion.clock())
            """;
        var id = PublicId.New("bulk_");
        await using var connection = await database.Worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", actor.TenantId), new("public", id), new("action", action), new("reason", NpgsqlDbType.Text) { Value = (object?)actor.Reason ?? DBNull.Value },
                new("filter", NpgsqlDbType.Jsonb) { Value = filter.ToJson() }, new("reach", NpgsqlDbType.Jsonb) { Value = JsonSerializer.Serialize(actor.Narrowing) },
                new("total", total), new("through", through), new("who", actor.Name),
            },
        })
            await command.ExecuteNonQueryAsync(ct);
        await AuditLog.WriteAsync(connection, actor, $"review_{action}_many", $"reviews {id}", ct, filter.ToJson());
        await transaction.CommitAsync(ct);
        return (await FindAsync(actor.Scope, id, ct))!;
    }

    /// <summary>Null where there is no such bulk decision in reach.</summary>
    public async Task<BulkView?> FindAsync(Scope scope, string publicId, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand($"SELECT {Columns} FROM ingestion.review_bulk WHERE public_id = $1", connection) { Parameters = { new() { Value = publicId } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        return await r.ReadAsync(ct) ? View(r) : null;
    }

    /// <summary>Bulk decisions, newest first.</summary>
    public async Task<Page<BulkView>> ListAsync(Scope scope, int skip, int take, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand($"SELECT count(*)::int FROM ingestion.review_bulk; SELECT {Columns} FROM ingestion.review_bulk ORDER BY id DESC OFFSET @skip LIMIT @take", connection)
        {
            Parameters = { new("skip", skip), new("take", take) },
        };
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        var total = r.GetInt32(0);
        await r.NextResultAsync(ct);
        var bulks = new List<BulkView>();
        while (await r.ReadAsync(ct)) bulks.Add(View(r));
        return new(bulks, total);
    }

    /// <summary>Carries every bulk decision on until it is done; safe from several processes at once, and to begin again anywhere.</summary>
    public async Task CarryOutAsync(CancellationToken ct)
    {
        var bulks = new List<long>();
        await using (var command = database.Worker.CreateCommand("SELECT id FROM ingestion.review_bulk WHERE state = 'running' ORDER BY id"))
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct)) bulks.Add(r.GetInt64(0));
        foreach (var bulk in bulks)
            while (await Conflicts.RepeatAsync(token => SliceAsync(bulk, token), ct)) ct.ThrowIfCancellationRequested();
    }

    // False where nothing is left, or another process has it.
    private async Task<bool> SliceAsync(long id, CancellationToken ct)
    {
        await using var connection = await database.Worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await BulkRow.HoldAsync(connection, id, ct) is not { } bulk) return false;
        var (batchId, found, last) = await NextAsync(bulk, ct);
        if (found.Count == 0)
        {
            await ExecuteAsync(connection, "UPDATE ingestion.review_bulk SET state = 'done', finished_at = ingestion.clock() WHERE id = @id", [new("id", id)], ct);
            await transaction.CommitAsync(ct);
            return false;
        }
        var decided = await DecideAsync(connection, bulk, batchId, found, ct);
        FaultPoints.Reach(FaultPoints.InBulk);
        await ExecuteAsync(connection, "UPDATE ingestion.review_bulk SET cursor = @last, decided = decided + @decided, passed_over = passed_over + @passed WHERE id = @id",
            [new("id", id), new("last", last), new("decided", decided), new("passed", found.Count - decided)], ct);
        await transaction.CommitAsync(ct);
        hints.Changed(batchId);
        waker.WakeAll();
        return true;
    }

    private static async Task<int> DecideAsync(NpgsqlConnection connection, BulkRow bulk, long batchId, List<long> reviews, CancellationToken ct)
    {
        var held = (await ReviewRows.HoldAsync(connection, reviews, ct)).Where(h => h is { State: ReviewStates.Open, Task: not null }).ToList();
        if (held.Count == 0) return 0;
        if (await BatchRow.LockAsync(connection, batchId, bulk.Actor.TenantId, ct) is not { } batch || (batch.DesiredState == DesiredState.Cancel && !batch.State.IsFinal())) return 0;
        var events = bulk.Action == ReviewActions.Approve
            ? await ReviewMoves.ApproveAsync(connection, bulk.Actor, batch, held, bulk.Id, ct)
            : await ReviewMoves.RejectAsync(connection, bulk.Actor, held, bulk.Id, ct);
        await ImportEvents.AppendAsync(connection, batchId, events, ct);
        await BatchCompletion.TryCompleteAsync(connection, batchId, ct);
        return held.Count;
    }

    // The next ones of one batch: its numbers are what a slice holds.
    private async Task<(long Batch, List<long> Reviews, long Last)> NextAsync(BulkRow bulk, CancellationToken ct)
    {
        const string sql = $"""
            SELECT r.id, r.batch_id
            {ReviewQueries.From}
            WHERE {ReviewFilter.Sql} AND r.id > @cursor AND r.id <= @through
            ORDER BY r.id
            LIMIT @slice
            """;
        await using var connection = await database.OpenWebAsync(bulk.Actor.Scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("cursor", bulk.Cursor), new("through", bulk.Through), new("slice", Slice) } };
        bulk.Filter.AddTo(command);
        await using var r = await command.ExecuteReaderAsync(ct);
        var (batch, reviews) = (0L, new List<long>());
        while (await r.ReadAsync(ct))
        {
            if (reviews.Count > 0 && r.GetInt64(1) != batch) break;
            batch = r.GetInt64(1);
            reviews.Add(r.GetInt64(0));
        }
        return (batch, reviews, reviews.Count > 0 ? reviews[^1] : 0);
    }

    private async Task<(int Total, long Through)> MeantAsync(Scope scope, ReviewFilter filter, long? upTo, CancellationToken ct)
    {
        const string sql = $"""
            SELECT count(*)::int, coalesce(max(r.id), 0)
            {ReviewQueries.From}
            WHERE {ReviewFilter.Sql} AND r.id <= @up_to
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("up_to", upTo ?? long.MaxValue) } };
        filter.AddTo(command);
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        return (r.GetInt32(0), r.GetInt64(1));
    }

    private static BulkView View(NpgsqlDataReader r) => new(r.GetString(0), r.GetString(1), r.GetString(2), r.GetInt32(3), r.GetInt32(4), r.GetInt32(5), r.GetString(6),
        r.GetFieldValue<DateTimeOffset>(7), r.IsDBNull(8) ? null : r.GetFieldValue<DateTimeOffset>(8));

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(ct);
    }

    private sealed record BulkRow(long Id, string Action, ReviewFilter Filter, long Cursor, long Through, Actor Actor)
    {
        public static async Task<BulkRow?> HoldAsync(NpgsqlConnection connection, long id, CancellationToken ct)
        {
            const string sql = """
                SELECT action, filter::text, cursor, through, tenant_id, created_by, reason, reach::text FROM ingestion.review_bulk WHERE id = $1 AND state = 'running' FOR UPDATE SKIP LOCKED
                """;
            await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = id } } };
            await using var r = await command.ExecuteReaderAsync(ct);
            if (!await r.ReadAsync(ct)) return null;
            var actor = new Actor(r.GetString(4), r.GetString(5), r.IsDBNull(6) ? null : r.GetString(6)) { Narrowing = JsonSerializer.Deserialize<Narrowing>(r.GetString(7))! };
            return new(id, r.GetString(0), ReviewFilter.FromJson(r.GetString(1)), r.GetInt64(2), r.GetInt64(3), actor);
        }
    }
}
