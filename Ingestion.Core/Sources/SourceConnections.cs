using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Sources;

/// <summary>
/// Places that a tenant takes documents from: their kind, settings and secrets. A key is chosen once and never used again; secrets are
/// written here and read only by the connector.
/// </summary>
public sealed class SourceConnections(Database database, SecretBox secrets)
{
    /// <summary>By name. Without those that were deleted.</summary>
    public Task<IReadOnlyList<ConnectionView>> ListAsync(Scope scope, CancellationToken ct) => ReadAsync(scope, null, ct);

    /// <summary>Null where there is none of this key in reach.</summary>
    public async Task<ConnectionView?> FindAsync(Scope scope, string key, CancellationToken ct) => (await ReadAsync(scope, key, ct)) is [var one] ? one : null;

    /// <summary>Makes a connection. Throws <c>invalid_option</c> with a sentence where kind, key, name or a setting does not fit.</summary>
    public async Task<string> CreateAsync(Actor actor, NewConnection request, CancellationToken ct)
    {
        if (actor.Narrowing.Connections is not null) throw Invalid("You reach some connections of this tenant; a new one would not be among them. Ask an administrator.");
        var kind = SourceKinds.Require(request.Kind);
        if (!kind.HasConnections) throw Invalid($"Connections of the kind '{kind.Word}' are not made.");
        if (ConnectionKey.Problem(request.Key) is { } problem) throw Invalid($"key {problem}.");
        var (settings, sealedValues) = Split(kind, request.Settings);
        await using (var connection = await database.Worker.OpenConnectionAsync(ct))
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using var insert = new NpgsqlCommand("""
                INSERT INTO ingestion.connection (tenant_id, key, kind, name, settings, created_by, created_at)
                VALUES (@tenant, @key, @kind, @name, @settings, @who, ingestion.clock())
                ON CONFLICT (tenant_id, key) DO NOTHING
                """, connection)
            {
                Parameters =
                {
                    new("tenant", actor.TenantId), new("key", request.Key), new("kind", kind.Word), new("name", Name(request.Name)), new("who", actor.Name),
                    new("settings", NpgsqlDbType.Jsonb) { Value = settings.Json },
                },
            };
            if (await insert.ExecuteNonQueryAsync(ct) == 0) throw Invalid($"The key '{request.Key}' is taken, or was by a connection that is gone: choose another.");
            await AuditLog.WriteAsync(connection, actor, "create_connection", $"connection {request.Key}", ct);
            await transaction.CommitAsync(ct);
        }
        await SealAsync(actor, request.Key, sealedValues, ct);
        return request.Key;
    }

    /// <summary>
    /// Changes name, settings and whether it is switched off; a secret that is not named stays, an empty one is removed. False where there
    /// is none in reach. Throws <c>invalid_option</c>.
    /// </summary>
    public async Task<bool> ChangeAsync(Actor actor, string key, ConnectionChange change, CancellationToken ct)
    {
        if (await FindAsync(actor.Scope, key, ct) is not { } before) return false;
        var (settings, sealedValues) = Split(SourceKinds.Require(before.Kind), change.Settings ?? JsonDocument.Parse(before.Settings).RootElement);
        await using (var connection = await database.Worker.OpenConnectionAsync(ct))
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using var update = new NpgsqlCommand("""
                UPDATE ingestion.connection
                SET name = @name, settings = @settings, tested_at = NULL, test_problem = NULL,
                    disabled_at = CASE WHEN @disabled IS NULL THEN disabled_at WHEN @disabled THEN coalesce(disabled_at, ingestion.clock()) END
                WHERE tenant_id = @tenant AND key = @key AND deleted_at IS NULL
                """, connection)
            {
                Parameters =
                {
                    new("tenant", actor.TenantId), new("key", key), new("name", change.Name is null ? before.Name : Name(change.Name)),
                    new("settings", NpgsqlDbType.Jsonb) { Value = settings.Json }, new("disabled", NpgsqlDbType.Boolean) { Value = (object?)change.Disabled ?? DBNull.Value },
                },
            };
            if (await update.ExecuteNonQueryAsync(ct) == 0) return false;
            // Another account may see other things: what it holds is listed anew.
            await using (var forget = new NpgsqlCommand("UPDATE ingestion.sync_source SET feed = NULL WHERE tenant_id = @tenant AND connection_id = @key", connection) { Parameters = { new("tenant", actor.TenantId), new("key", key) } })
                await forget.ExecuteNonQueryAsync(ct);
            await AuditLog.WriteAsync(connection, actor, "change_connection", $"connection {key}", ct);
            await transaction.CommitAsync(ct);
        }
        await SealAsync(actor, key, sealedValues, ct);
        return true;
    }

    /// <summary>Takes it away with its secrets and its schedule; what came through it stays. False where there is none in reach.</summary>
    public async Task<bool> DeleteAsync(Actor actor, string key, CancellationToken ct)
    {
        if (await FindAsync(actor.Scope, key, ct) is not { } view) return false;
        await using (var connection = await database.Worker.OpenConnectionAsync(ct))
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using var update = new NpgsqlCommand("""
                UPDATE ingestion.connection
                SET deleted_at = ingestion.clock(), disabled_at = coalesce(disabled_at, ingestion.clock()), settings = '{}', schedule = NULL, schedule_zone = NULL, next_run_at = NULL
                WHERE tenant_id = @tenant AND key = @key AND deleted_at IS NULL
                """, connection) { Parameters = { new("tenant", actor.TenantId), new("key", key) } };
            if (await update.ExecuteNonQueryAsync(ct) == 0) return false;
            await AuditLog.WriteAsync(connection, actor, "delete_connection", $"connection {key}", ct);
            await transaction.CommitAsync(ct);
        }
        foreach (var field in SourceKinds.Require(view.Kind).Settings.Where(f => f.Type == FieldType.Secret)) await secrets.RemoveAsync(actor, SecretName(key, field.Name), ct);
        return true;
    }

    /// <summary>A connection to be used. Throws <c>source_not_configured</c> where it is gone or switched off.</summary>
    public async Task<OpenConnection> OpenAsync(string tenantId, string key, CancellationToken ct)
    {
        await using var command = database.Worker.CreateCommand("SELECT kind, name, settings::text, disabled_at IS NOT NULL FROM ingestion.connection WHERE tenant_id = $1 AND key = $2 AND deleted_at IS NULL");
        command.Parameters.Add(new() { Value = tenantId });
        command.Parameters.Add(new() { Value = key });
        await using var r = await command.ExecuteReaderAsync(ct);
        if (!await r.ReadAsync(ct)) throw new IngestionException(ErrorCodes.SourceNotConfigured, $"The connection {key} is not there any more.");
        if (r.GetBoolean(3)) throw new IngestionException(ErrorCodes.SourceNotConfigured, $"The connection {key} is switched off.");
        var kind = SourceKinds.Require(r.GetString(0));
        using var settings = JsonDocument.Parse(r.GetString(2));
        return new(tenantId, key, kind, r.GetString(1), SourceValues.Read("settings", kind.Settings, settings.RootElement), secrets);
    }

    /// <summary>Keeps what a test of the connection found. <paramref name="problem"/> is null where all is well.</summary>
    public async Task NoteTestAsync(string tenantId, string key, string? problem, CancellationToken ct)
    {
        await using var command = database.Worker.CreateCommand("UPDATE ingestion.connection SET tested_at = ingestion.clock(), test_problem = $3 WHERE tenant_id = $1 AND key = $2 AND deleted_at IS NULL");
        command.Parameters.Add(new() { Value = tenantId });
        command.Parameters.Add(new() { Value = key });
        command.Parameters.Add(new() { Value = (object?)problem ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        await command.ExecuteNonQueryAsync(ct);
    }

    internal static string SecretName(string key, string field) => $"connection/{key}/{field}";

    private static (SourceValues Settings, IReadOnlyDictionary<string, string> Secrets) Split(SourceKind kind, JsonElement? given)
    {
        var all = SourceValues.Read("settings", kind.Settings, given);
        var missing = all.Missing.Select(f => f.Name).ToList();
        if (missing.Count > 0) throw Invalid($"settings.{missing[0]} is missing.");
        var names = kind.Settings.Where(f => f.Type == FieldType.Secret).Select(f => f.Name).ToList();
        var values = new Dictionary<string, string>();
        if (given is { ValueKind: JsonValueKind.Object } json)
            foreach (var name in names)
                if (json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String) values[name] = value.GetString()!;
        return (all.Without(names), values);
    }

    private async Task SealAsync(Actor actor, string key, IReadOnlyDictionary<string, string> values, CancellationToken ct)
    {
        foreach (var (field, value) in values)
            if (value.Length > 0) await secrets.SetAsync(actor, SecretName(key, field), value, ct);
            else await secrets.RemoveAsync(actor, SecretName(key, field), ct);
    }

    private static string Name(string name) => name.Trim() is { Length: > 0 and <= 200 } trimmed && !trimmed.Any(char.IsControl)
        ? trimmed
        : throw Invalid("name must be one line of 1 to 200 characters.");

    private async Task<IReadOnlyList<ConnectionView>> ReadAsync(Scope scope, string? key, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand("""
            SELECT n.id, n.key, n.kind, n.name, n.settings::text, n.created_by, n.created_at, n.disabled_at, c.key, n.schedule, n.schedule_zone, n.next_run_at, n.schedule_note, n.tested_at, n.test_problem,
                   (SELECT max(r.started_at) FROM ingestion.sync_run r JOIN ingestion.sync_source s ON s.id = r.sync_source_id WHERE s.connection_id = n.key)
            FROM ingestion.connection n
            LEFT JOIN ingestion.collection c ON c.id = n.collection_id
            WHERE n.deleted_at IS NULL AND (@key IS NULL OR n.key = @key)
            ORDER BY lower(n.name), n.key
            """, connection) { Parameters = { new("key", NpgsqlDbType.Text) { Value = (object?)key ?? DBNull.Value } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var found = new List<ConnectionView>();
        while (await r.ReadAsync(ct))
            found.Add(new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetString(5), r.GetFieldValue<DateTimeOffset>(6))
            {
                DisabledAt = Time(r, 7), Collection = Text(r, 8), Schedule = Text(r, 9), ScheduleZone = Text(r, 10), NextRunAt = Time(r, 11),
                ScheduleNote = Text(r, 12), TestedAt = Time(r, 13), TestProblem = Text(r, 14), LastRunAt = Time(r, 15),
            });
        return found;
    }

    private static string? Text(NpgsqlDataReader r, int i) => r.IsDBNull(i) ? null : r.GetString(i);

    private static DateTimeOffset? Time(NpgsqlDataReader r, int i) => r.IsDBNull(i) ? null : r.GetFieldValue<DateTimeOffset>(i);

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
