using System.Text.Json;
using Ingestion.Core.Events;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>Writes the bad end of an item or input: its record, and the content it carried let go.</summary>
internal static class ItemFailures
{
    /// <summary>Returns the event that tells of it, for the caller to append last.</summary>
    public static async Task<NewEvent> WriteAsync(
        NpgsqlConnection connection, long taskId, long? itemId, long? inputId, Stage stage,
        string code, string message, string? details, int attempt, CancellationToken ct)
    {
        if (itemId is { } item)
        {
            const string sql = """
                WITH freed AS (DELETE FROM ingestion.content_claim WHERE item_id = @item)
                UPDATE ingestion.import_item
                SET state = 'failed', step = 'finished', error_code = @code, error_message = @message, error_details = @details,
                    progress_message = NULL, completed_at = ingestion.clock(), started_at = coalesce(started_at, ingestion.clock())
                WHERE id = @item AND state = 'open'
                """;
            await using var command = new NpgsqlCommand(sql, connection)
            {
                Parameters =
                {
                    new("item", item), new("code", code), new("message", message),
                    new("details", NpgsqlDbType.Jsonb) { Value = (object?)details ?? DBNull.Value },
                },
            };
            await command.ExecuteNonQueryAsync(ct);
        }
        else if (inputId is { } input)
        {
            await ItemMoves.EndInputAsync(connection, input, ItemState.Failed, code, message, ct);
        }
        var kind = itemId is null ? EventKinds.InputFailed : EventKinds.ItemFailed;
        return new(kind, itemId, taskId, stage.Word(), Json(code, message, attempt));
    }

    public static string Json(string code, string message, int attempt) => JsonSerializer.Serialize(new { code, message, attempt });

    /// <summary>A message as it may be stored and shown: one line, bounded, without NUL.</summary>
    public static string OneLine(string message)
    {
        var line = string.Create(Math.Min(message.Length, 2000), message, static (span, m) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = char.IsControl(m[i]) ? ' ' : m[i];
        });
        return line.Trim();
    }
}
