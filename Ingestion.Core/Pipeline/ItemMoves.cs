using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>How items and inputs follow their tasks, always inside the transaction that moves the task.</summary>
internal static class ItemMoves
{
    /// <summary>To an end without an error, and lets go of the content it carried.</summary>
    public static async Task EndAsync(NpgsqlConnection connection, long item, ItemState state, string? message, CancellationToken ct)
    {
        const string sql = """
            WITH freed AS (DELETE FROM ingestion.content_claim WHERE item_id = @item)
            UPDATE ingestion.import_item
            SET state = @state, step = 'finished', progress_current = 0, progress_total = NULL, progress_message = left(@message, 255),
                completed_at = ingestion.clock(), started_at = coalesce(started_at, ingestion.clock())
            WHERE id = @item AND state = 'open'
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("item", item), new("state", state.Word()), new("message", NpgsqlDbType.Text) { Value = (object?)message ?? DBNull.Value } },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>To the end that a reviewer, or a rule, wanted.</summary>
    public static async Task RejectAsync(NpgsqlConnection connection, IReadOnlyList<long> items, string reason, CancellationToken ct)
    {
        const string sql = """
            WITH freed AS (DELETE FROM ingestion.content_claim WHERE item_id = ANY(@items))
            UPDATE ingestion.import_item
            SET state = 'rejected', step = 'finished', progress_current = 0, progress_total = NULL, progress_message = NULL,
                error_code = @code, error_message = @reason, completed_at = ingestion.clock(), started_at = coalesce(started_at, ingestion.clock())
            WHERE id = ANY(@items) AND state = 'open'
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("items", items.ToArray()), new("code", ErrorCodes.Rejected.Code), new("reason", reason) },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    public static async Task EndInputAsync(NpgsqlConnection connection, long input, ItemState state, string? code, string? message, CancellationToken ct)
    {
        const string sql = """
            UPDATE ingestion.import_input SET state = @state, completed_at = ingestion.clock(), error_code = @code, error_message = @message
            WHERE id = @input AND state = 'open'
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("input", input), new("state", state.Word()),
                new("code", NpgsqlDbType.Text) { Value = (object?)code ?? DBNull.Value },
                new("message", NpgsqlDbType.Text) { Value = (object?)message ?? DBNull.Value },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }
}
