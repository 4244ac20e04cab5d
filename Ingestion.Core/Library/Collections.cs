using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Library;

/// <summary>The outcome of a change to a collection: its key, or a sentence on why there was none.</summary>
public sealed record CollectionResult(string? Key, string? Problem);

/// <summary>A tenant's collections: what they hold, and their making and naming. A key never changes: addresses and clients hold it.</summary>
public sealed class Collections(Database database)
{
    /// <summary>By name.</summary>
    public Task<IReadOnlyList<CollectionView>> ListAsync(Scope scope, CancellationToken ct) => ReadAsync(scope, null, ct);

    public async Task<CollectionView?> FindAsync(Scope scope, string key, CancellationToken ct) =>
        (await ReadAsync(scope, key, ct)) is [var one] ? one : null;

    /// <summary>Makes a collection. Its first document decides the embedding model.</summary>
    public async Task<CollectionResult> CreateAsync(Actor actor, string key, string name, string? description, CancellationToken ct)
    {
        if ((CollectionName.KeyProblem(key) ?? Problem(name, description)) is { } problem) return new(null, problem);
        if (actor.Narrowing.Collections is not null) return new(null, "You reach some collections of this tenant; a new one would not be among them. Ask an administrator.");
        const string sql = """
            INSERT INTO ingestion.collection (tenant_id, key, name, description, created_at)
            VALUES (@tenant, @key, @name, @description, ingestion.clock())
            ON CONFLICT (tenant_id, key) DO NOTHING
            """;
        return await WriteAsync(actor, "create_collection", key, name, description, sql, $"There is a collection “{key}” already.", ct);
    }

    public async Task<CollectionResult> RenameAsync(Actor actor, string key, string name, string? description, CancellationToken ct)
    {
        if (Problem(name, description) is { } problem) return new(null, problem);
        const string sql = "UPDATE ingestion.collection SET name = @name, description = @description WHERE tenant_id = @tenant AND key = @key AND (@reach IS NULL OR id = ANY (@reach))";
        return await WriteAsync(actor, "rename_collection", key, name, description, sql, $"There is no collection “{key}” any more.", ct);
    }

    private static string? Problem(string name, string? description) => CollectionName.NameProblem(name) ?? CollectionName.DescriptionProblem(description);

    private async Task<CollectionResult> WriteAsync(Actor actor, string action, string key, string name, string? description, string sql, string refusal, CancellationToken ct)
    {
        await using var connection = await database.Worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", actor.TenantId), new("key", key), new("name", name.Trim()),
                new("reach", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = (object?)actor.Narrowing.Collections?.ToArray() ?? DBNull.Value },
                new("description", NpgsqlDbType.Text) { Value = string.IsNullOrWhiteSpace(description) ? DBNull.Value : description.Trim() },
            },
        };
        if (await command.ExecuteNonQueryAsync(ct) == 0) return new(null, refusal);
        await AuditLog.WriteAsync(connection, actor, action, $"collection {key}", ct);
        await transaction.CommitAsync(ct);
        return new(key, null);
    }

    private async Task<IReadOnlyList<CollectionView>> ReadAsync(Scope scope, string? key, CancellationToken ct)
    {
        const string sql = """
            SELECT c.id, c.key, c.name, c.description, c.embedding_model, c.created_at, coalesce(p.documents, 0)::int, coalesce(p.chunks, 0)::bigint, p.last
            FROM ingestion.collection c
            LEFT JOIN LATERAL (
                SELECT count(*) AS documents, sum(v.chunk_count) AS chunks, max(l.published_at) AS last
                FROM (
                    SELECT DISTINCT ON (u.document_id) u.document_version_id, u.published_at
                    FROM ingestion.publication u JOIN ingestion.document d ON d.id = u.document_id
                    WHERE u.revoked_at IS NULL AND d.collection_id = c.id
                    ORDER BY u.document_id, u.id DESC
                ) l
                JOIN ingestion.document_version v ON v.id = l.document_version_id
            ) p ON true
            WHERE @key IS NULL OR c.key = @key
            ORDER BY lower(c.name), c.key
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("key", NpgsqlDbType.Text) { Value = (object?)key ?? DBNull.Value } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var found = new List<CollectionView>();
        while (await r.ReadAsync(ct))
            found.Add(new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.IsDBNull(3) ? null : r.GetString(3), r.IsDBNull(4) ? null : r.GetString(4),
                r.GetFieldValue<DateTimeOffset>(5), r.GetInt32(6), r.GetInt64(7), r.IsDBNull(8) ? null : r.GetFieldValue<DateTimeOffset>(8)));
        return found;
    }
}
