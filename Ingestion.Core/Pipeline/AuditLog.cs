using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>Writes who asked for what, in the transaction that does it.</summary>
internal static class AuditLog
{
    /// <param name="data">A JSON object with old and new values; null for none. Never a secret.</param>
    public static async Task WriteAsync(NpgsqlConnection connection, Actor actor, string action, string target, CancellationToken ct, string? data = null)
    {
        const string sql = """
            INSERT INTO ingestion.audit_entry (tenant_id, at, who, action, target, reason, data)
            VALUES (@tenant, ingestion.clock(), @who, @action, @target, @reason, @data)
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", actor.TenantId), new("who", actor.Name), new("action", action), new("target", target),
                new("reason", NpgsqlDbType.Text) { Value = (object?)actor.Reason ?? DBNull.Value },
                new("data", NpgsqlDbType.Jsonb) { Value = (object?)data ?? DBNull.Value },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }
}
