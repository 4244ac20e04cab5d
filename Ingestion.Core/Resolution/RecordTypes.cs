using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Resolution;

/// <summary>A collection's record type, and whether its manifests' rows may pass without a person.</summary>
public sealed record CollectionRecords(RecordType? Type, bool AutoAccept);

/// <summary>A record type as it was set once.</summary>
/// <param name="Current">What is resolved now uses it.</param>
public sealed record RecordTypeView(long Id, bool Current, RecordType Type, string CreatedBy, DateTimeOffset CreatedAt);

/// <summary>What the documents of collections are records of. A change makes a new version and holds for what is resolved from then on.</summary>
public sealed class RecordTypes(Database database)
{
    /// <summary>Null where there is no such collection in reach.</summary>
    public async Task<CollectionRecords?> FindAsync(Scope scope, string collection, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand("""
            SELECT t.spec::text, c.auto_accept FROM ingestion.collection c LEFT JOIN ingestion.record_type t ON t.id = c.record_type_id WHERE c.key = $1
            """, connection) { Parameters = { new() { Value = collection } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        return await r.ReadAsync(ct) ? new(r.IsDBNull(0) ? null : RecordType.Parse(r.GetString(0)), r.GetBoolean(1)) : null;
    }

    /// <summary>Every record type that the collection had, newest first.</summary>
    public async Task<IReadOnlyList<RecordTypeView>> VersionsAsync(Scope scope, string collection, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand("""
            SELECT t.id, t.id IS NOT DISTINCT FROM c.record_type_id, t.spec::text, t.created_by, t.created_at
            FROM ingestion.record_type t
            JOIN ingestion.collection c ON c.id = t.collection_id
            WHERE c.key = $1
            ORDER BY t.id DESC
            """, connection) { Parameters = { new() { Value = collection } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var versions = new List<RecordTypeView>();
        while (await r.ReadAsync(ct)) versions.Add(new(r.GetInt64(0), r.GetBoolean(1), RecordType.Parse(r.GetString(2)), r.GetString(3), r.GetFieldValue<DateTimeOffset>(4)));
        return versions;
    }

    /// <summary>
    /// Sets the record type of a collection, or takes it away. Throws <c>invalid_option</c> with the first problem, and <c>not_found</c> where there is
    /// no such collection in the actor's reach.
    /// </summary>
    public Task SetAsync(Actor actor, string collection, RecordType? type, CancellationToken ct)
    {
        if (type is not null && RecordTypeProblems.Of(type) is [var problem, ..]) throw new IngestionException(ErrorCodes.InvalidOption, problem);
        const string sql = """
            WITH made AS (
                INSERT INTO ingestion.record_type (tenant_id, collection_id, spec, created_by, created_at)
                SELECT tenant_id, id, @spec, @who, ingestion.clock() FROM ingestion.collection WHERE id = @id AND @spec IS NOT NULL
                RETURNING id
            )
            UPDATE ingestion.collection SET record_type_id = (SELECT id FROM made) WHERE id = @id
            """;
        return ChangeAsync(actor, collection, "set_record_type", JsonSerializer.Serialize(new { record_type = type?.Name }), sql,
            [new("spec", NpgsqlDbType.Jsonb) { Value = (object?)type?.ToJson() ?? DBNull.Value }, new("who", actor.Name)], ct);
    }

    /// <summary>Lets rows of manifests pass without a person where they are sure enough, or has each one reviewed again.</summary>
    public Task SetAutoAcceptAsync(Actor actor, string collection, bool autoAccept, CancellationToken ct) =>
        ChangeAsync(actor, collection, "set_auto_accept", JsonSerializer.Serialize(new { auto_accept = autoAccept }),
            "UPDATE ingestion.collection SET auto_accept = @auto WHERE id = @id", [new("auto", autoAccept)], ct);

    private async Task ChangeAsync(Actor actor, string collection, string action, string data, string sql, NpgsqlParameter[] parameters, CancellationToken ct)
    {
        long id;
        await using (var web = await database.OpenWebAsync(actor.Scope, ct))
        await using (var find = new NpgsqlCommand("SELECT id FROM ingestion.collection WHERE key = $1", web) { Parameters = { new() { Value = collection } } })
            id = await find.ExecuteScalarAsync(ct) as long? ?? throw new IngestionException(ErrorCodes.NotFound, $"There is no collection “{collection}”.");
        await using var connection = await database.Worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var command = new NpgsqlCommand(sql, connection) { Parameters = { new("id", id) } })
        {
            command.Parameters.AddRange(parameters);
            await command.ExecuteNonQueryAsync(ct);
        }
        await AuditLog.WriteAsync(connection, actor, action, $"collection {collection}", ct, data);
        await transaction.CommitAsync(ct);
    }
}
