using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Review;

/// <summary>A filter and an order under a name.</summary>
public sealed record SavedReviewView(long Id, string Name, ReviewFilter Filter, ReviewOrder Order);

/// <summary>The views of the review queue that people keep, each their own.</summary>
public sealed class SavedReviewViews(Database database)
{
    /// <summary>Characters of a name.</summary>
    public const int MaxName = 80;

    /// <summary>Views of one person in a tenant.</summary>
    public const int Most = 50;

    /// <summary>What the member of the scope keeps, by name; empty where the scope is nobody's.</summary>
    public async Task<IReadOnlyList<SavedReviewView>> ListAsync(Scope scope, CancellationToken ct)
    {
        if (scope.Member is not { } member) return [];
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand("SELECT id, name, filter::text, sort FROM ingestion.review_view WHERE owner = $1 ORDER BY lower(name), id", connection) { Parameters = { new() { Value = member } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var views = new List<SavedReviewView>();
        while (await r.ReadAsync(ct)) views.Add(new(r.GetInt64(0), r.GetString(1), ReviewFilter.FromJson(r.GetString(2)), Enum.Parse<ReviewOrder>(r.GetString(3))));
        return views;
    }

    /// <summary>
    /// Keeps a view; one of the same name is replaced. Throws <c>invalid_option</c> for a name that is blank or too long, and where there are too many.
    /// </summary>
    public async Task<SavedReviewView> SaveAsync(Actor actor, string name, ReviewFilter filter, ReviewOrder order, CancellationToken ct)
    {
        name = name.Trim();
        if (name.Length is 0 or > MaxName) throw new IngestionException(ErrorCodes.InvalidOption, $"A view needs a name of at most {MaxName} characters.");
        const string sql = """
            INSERT INTO ingestion.review_view (tenant_id, owner, name, filter, sort, created_at)
            SELECT @tenant, @owner, @name, @filter, @sort, ingestion.clock()
            WHERE (SELECT count(*) FROM ingestion.review_view WHERE tenant_id = @tenant AND owner = @owner AND name <> @name) < @most
            ON CONFLICT (tenant_id, owner, name) DO UPDATE SET filter = excluded.filter, sort = excluded.sort
            RETURNING id
            """;
        await using var command = database.Worker.CreateCommand(sql);
        command.Parameters.AddRange(new NpgsqlParameter[]
        {
            new("tenant", actor.TenantId), new("owner", actor.Name), new("name", name), new("filter", NpgsqlDbType.Jsonb) { Value = filter.ToJson() }, new("sort", order.ToString()), new("most", Most),
        });
        return await command.ExecuteScalarAsync(ct) is long id ? new(id, name, filter, order)
            : throw new IngestionException(ErrorCodes.InvalidOption, $"You keep {Most} views already; remove one first.");
    }

    /// <summary>False where the actor keeps no such view.</summary>
    public async Task<bool> DeleteAsync(Actor actor, long id, CancellationToken ct)
    {
        await using var command = database.Worker.CreateCommand("DELETE FROM ingestion.review_view WHERE id = $1 AND tenant_id = $2 AND owner = $3");
        command.Parameters.AddRange(new NpgsqlParameter[] { new() { Value = id }, new() { Value = actor.TenantId }, new() { Value = actor.Name } });
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }
}
