using System.Text.Json;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>What a stage needs to know of the document it works on; read once when the task starts.</summary>
public sealed record WorkItem(
    long ItemId, long BatchId, string TenantId, long CollectionId, string? CollectionModel, string SourceType, string? ConnectionId,
    string SourceKey, int Row, string Name, long? UploadId, string Metadata, long? SourceVersionId, long? DocumentVersionId, long? GenerationId);

/// <summary>What a discover stage needs to know of the input it lists.</summary>
public sealed record WorkInput(long InputId, long BatchId, string TenantId, string SourceType, string? ConnectionId, string Spec, string? Cursor);

/// <summary>A task with everything it is about. Exactly one of item and input is set.</summary>
public sealed record Work(ProcessingOptions Options, WorkItem? Item, WorkInput? Input)
{
    /// <summary>Null where the row is gone: its batch was deleted meanwhile.</summary>
    public static Task<Work?> LoadAsync(NpgsqlDataSource worker, ClaimedTask task, CancellationToken ct) =>
        task.ItemId is { } item ? LoadItemAsync(worker, item, ct) : LoadInputAsync(worker, task.InputId!.Value, ct);

    private static async Task<Work?> LoadItemAsync(NpgsqlDataSource worker, long item, CancellationToken ct)
    {
        const string sql = """
            SELECT i.batch_id, i.tenant_id, b.collection_id, c.embedding_model, i.source_type, i.connection_id, i.source_key, i.row, i.name,
                   i.upload_id, i.metadata::text, i.source_version_id, i.document_version_id, i.generation_id, b.options::text
            FROM ingestion.import_item i
            JOIN ingestion.import_batch b ON b.id = i.batch_id
            JOIN ingestion.collection c ON c.id = b.collection_id
            WHERE i.id = $1
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = item });
        await using var r = await command.ExecuteReaderAsync(ct);
        if (!await r.ReadAsync(ct)) return null;
        return new(ReadOptions(r.GetString(14)), new(item, r.GetInt64(0), r.GetString(1), r.GetInt64(2), Text(r, 3), r.GetString(4), Text(r, 5),
            r.GetString(6), r.GetInt32(7), r.GetString(8), Number(r, 9), r.GetString(10), Number(r, 11), Number(r, 12), Number(r, 13)), null);
    }

    private static async Task<Work?> LoadInputAsync(NpgsqlDataSource worker, long input, CancellationToken ct)
    {
        const string sql = """
            SELECT n.batch_id, n.tenant_id, n.source_type, n.connection_id, n.spec::text, n.cursor, b.options::text
            FROM ingestion.import_input n
            JOIN ingestion.import_batch b ON b.id = n.batch_id
            WHERE n.id = $1
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = input });
        await using var r = await command.ExecuteReaderAsync(ct);
        if (!await r.ReadAsync(ct)) return null;
        return new(ReadOptions(r.GetString(6)), null, new(input, r.GetInt64(0), r.GetString(1), r.GetString(2), Text(r, 3), r.GetString(4), Text(r, 5)));
    }

    private static ProcessingOptions ReadOptions(string json) => ProcessingOptions.Read(JsonDocument.Parse(json).RootElement, new());

    private static string? Text(NpgsqlDataReader r, int i) => r.IsDBNull(i) ? null : r.GetString(i);

    private static long? Number(NpgsqlDataReader r, int i) => r.IsDBNull(i) ? null : r.GetInt64(i);
}
