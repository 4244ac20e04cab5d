using System.Text.Json;
using Ingestion.Core.Data;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>Writes who asked for what, in the transaction that does it.</summary>
public static class AuditLog
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <param name="data">A JSON object with old and new values; null for none. Never a secret.</param>
    internal static async Task WriteAsync(NpgsqlConnection connection, Actor actor, string action, string target, CancellationToken ct, string? data = null)
    {
        const string sql = """
            INSERT INTO ingestion.audit_entry (tenant_id, at, who, action, target, reason, data, address)
            VALUES (@tenant, ingestion.clock(), @who, @action, @target, @reason, @data, @address)
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", actor.TenantId), new("who", actor.Name), new("action", action), new("target", target),
                new("reason", NpgsqlDbType.Text) { Value = (object?)actor.Reason ?? DBNull.Value },
                new("data", NpgsqlDbType.Jsonb) { Value = (object?)data ?? DBNull.Value },
                new("address", NpgsqlDbType.Text) { Value = (object?)actor.Address ?? DBNull.Value },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Puts the entry beside what is saved, so that both are written or neither.</summary>
    /// <param name="change">Old and new values; null for none. Never a secret.</param>
    public static void Add(this IngestionDb db, Actor actor, string action, string target, object? change = null) => db.Audit.Add(new()
    {
        TenantId = actor.TenantId, Who = actor.Name, Action = action, Target = target, Reason = actor.Reason, Address = actor.Address,
        Data = change is null ? null : JsonSerializer.Serialize(change, Json),
    });
}
