using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Review;

/// <summary>Somebody who may decide.</summary>
public sealed record Reviewer(string Id, string Name);

/// <summary>
/// Says who is to decide what. Anybody who may review can still decide anything: an assignment parts the work and forbids nothing, so it
/// moves no fence.
/// </summary>
public sealed class ReviewAssignments(Database database, Contexts contexts, Hints hints)
{
    /// <summary>The members of a tenant who may decide, by name.</summary>
    public async Task<IReadOnlyList<Reviewer>> ReviewersAsync(string tenantId, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        var rows = await (
            from m in db.Memberships
            join a in db.Accounts on m.AccountId equals a.Id
            where m.TenantId == tenantId && a.DisabledAt == null
            orderby a.Name, a.Id
            select new { a.Id, a.Name, a.Owner, m.Role }).ToListAsync(ct);
        return [.. rows.Where(r => r.Owner || r.Role.May(Permission.Review)).Select(r => new Reviewer(r.Id, r.Name))];
    }

    /// <summary>
    /// Gives the open reviews that the filter finds to somebody, or with null to nobody in particular; returns how many changed hands. Throws
    /// <c>invalid_option</c> where that person may not review here.
    /// </summary>
    public async Task<int> AssignAsync(Actor actor, ReviewFilter filter, string? to, CancellationToken ct)
    {
        if (to is not null && to != actor.Name && (await ReviewersAsync(actor.TenantId, ct)).All(r => r.Id != to))
            throw new IngestionException(ErrorCodes.InvalidOption, "There is no such reviewer in this tenant.");
        var found = await FindAsync(actor.Scope, filter with { State = ReviewStates.Open }, ct);
        if (found.Length == 0) return 0;
        var batches = await Conflicts.RepeatAsync(async token =>
        {
            await using var connection = await database.Worker.OpenConnectionAsync(token);
            await using var transaction = await connection.BeginTransactionAsync(token);
            var changed = await ChangeAsync(connection, found, to, token);
            await AuditLog.WriteAsync(connection, actor, to is null ? "review_unassign" : "review_assign", to is null ? "reviews" : $"account {to}", token,
                JsonSerializer.Serialize(new { reviews = changed.Count, first = found[0] }));
            await transaction.CommitAsync(token);
            return changed;
        }, ct);
        foreach (var batch in batches.Distinct()) hints.Changed(batch);
        return batches.Count;
    }

    private static async Task<List<long>> ChangeAsync(NpgsqlConnection connection, long[] reviews, string? to, CancellationToken ct)
    {
        const string sql = """
            WITH held AS MATERIALIZED (
                SELECT id FROM ingestion.review_item
                WHERE id = ANY(@reviews) AND state = 'open' AND assigned_to IS DISTINCT FROM @to
                ORDER BY id
                FOR NO KEY UPDATE
            )
            UPDATE ingestion.review_item r SET assigned_to = @to FROM held WHERE r.id = held.id RETURNING r.batch_id
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("reviews", reviews), new("to", NpgsqlDbType.Text) { Value = (object?)to ?? DBNull.Value } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var batches = new List<long>();
        while (await r.ReadAsync(ct)) batches.Add(r.GetInt64(0));
        return batches;
    }

    private async Task<long[]> FindAsync(Scope scope, ReviewFilter filter, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand($"SELECT coalesce(array_agg(r.id ORDER BY r.id), ARRAY[]::bigint[]) {ReviewQueries.From} WHERE {ReviewFilter.Sql}", connection);
        filter.AddTo(command);
        return (long[])(await command.ExecuteScalarAsync(ct))!;
    }
}
