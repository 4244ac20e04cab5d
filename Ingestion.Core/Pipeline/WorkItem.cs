using System.Text.Json;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>What a stage needs to know of the document it works on; read once when the task starts.</summary>
public sealed record WorkItem(
    long ItemId, long BatchId, string TenantId, long CollectionId, string? CollectionModel, string SourceType, string? ConnectionId,
    string SourceKey, int Row, string Name, long? UploadId, string Metadata, long? SourceVersionId, long? DocumentVersionId, long? GenerationId)
{
    /// <summary>What the documents of its collection are records of; null where they are documents and nothing else.</summary>
    public long? RecordTypeId { get; init; }

    /// <summary>A row of a manifest may pass without a person where it is sure enough.</summary>
    public bool AutoAccept { get; init; }
}

/// <summary>What a discover stage needs to know of the input it lists.</summary>
public sealed record WorkInput(long InputId, long BatchId, string TenantId, string SourceType, string? ConnectionId, string Spec, string? Cursor, long CollectionId = 0)
{
    /// <summary>Where the source's feed of changes stood before it was listed last; null where it has to be listed, whatever the feed says.</summary>
    public string? Feed { get; init; }
}

/// <summary>A task with everything it is about. Exactly one of item and input is set.</summary>
public sealed record Work(ProcessingOptions Options, WorkItem? Item, WorkInput? Input)
{
    // Of tasks claimed together nearly all are of few batches, so what is the batch's travels once.
    private const string Batches = """
        SELECT b.id, b.collection_id, c.embedding_model, b.options::text, c.record_type_id, c.auto_accept
        FROM ingestion.import_batch b
        JOIN ingestion.collection c ON c.id = b.collection_id
        WHERE b.id = ANY(@batches);
        """;

    private const string Items = """
        SELECT id, batch_id, tenant_id, source_type, connection_id, source_key, row, name, upload_id, metadata::text, source_version_id, document_version_id, generation_id
        FROM ingestion.import_item
        WHERE id = ANY(@items);
        """;

    private const string Inputs = """
        SELECT id, batch_id, tenant_id, source_type, connection_id, spec::text, cursor FROM ingestion.import_input WHERE id = ANY(@inputs)
        """;

    /// <summary>
    /// What these tasks of one stage are about, by task. One whose row is gone is missing: its batch was deleted meanwhile. Options that
    /// cannot be read fail the tasks of their own batch, when they look.
    /// </summary>
    public static async Task<IReadOnlyDictionary<long, Lazy<Work>>> LoadAsync(NpgsqlDataSource worker, IReadOnlyList<ClaimedTask> tasks, CancellationToken ct)
    {
        await using var command = worker.CreateCommand(Batches + (tasks[0].ItemId is null ? Inputs : Items));
        command.Parameters.AddRange(new NpgsqlParameter[]
        {
            new("batches", tasks.Select(t => t.BatchId).Distinct().ToArray()),
            tasks[0].ItemId is null ? new("inputs", tasks.Select(t => t.InputId!.Value).ToArray()) : new("items", tasks.Select(t => t.ItemId!.Value).ToArray()),
        });
        await using var r = await command.ExecuteReaderAsync(ct);
        var batches = new Dictionary<long, WorkBatch>();
        while (await r.ReadAsync(ct)) batches[r.GetInt64(0)] = WorkBatch.Read(r);
        await r.NextResultAsync(ct);
        var byRow = tasks.ToDictionary(t => t.ItemId ?? t.InputId!.Value, t => t.Id);
        var works = new Dictionary<long, Lazy<Work>>();
        while (await r.ReadAsync(ct))
            if (batches.TryGetValue(r.GetInt64(1), out var batch)) works[byRow[r.GetInt64(0)]] = tasks[0].ItemId is null ? OfInput(r, batch) : OfItem(r, batch);
        return works;
    }

    private static Lazy<Work> OfItem(NpgsqlDataReader r, WorkBatch batch)
    {
        var item = new WorkItem(r.GetInt64(0), r.GetInt64(1), r.GetString(2), batch.CollectionId, batch.CollectionModel, r.GetString(3), Text(r, 4),
            r.GetString(5), r.GetInt32(6), r.GetString(7), Number(r, 8), r.GetString(9), Number(r, 10), Number(r, 11), Number(r, 12))
        {
            RecordTypeId = batch.RecordTypeId, AutoAccept = batch.AutoAccept,
        };
        return new(() => new(batch.Options.Value, item, null));
    }

    private static Lazy<Work> OfInput(NpgsqlDataReader r, WorkBatch batch)
    {
        var input = new WorkInput(r.GetInt64(0), r.GetInt64(1), r.GetString(2), r.GetString(3), Text(r, 4), r.GetString(5), Text(r, 6), batch.CollectionId);
        return new(() => new(batch.Options.Value, null, input));
    }

    private static string? Text(NpgsqlDataReader r, int i) => r.IsDBNull(i) ? null : r.GetString(i);

    private static long? Number(NpgsqlDataReader r, int i) => r.IsDBNull(i) ? null : r.GetInt64(i);

    private sealed record WorkBatch(long CollectionId, string? CollectionModel, Lazy<ProcessingOptions> Options)
    {
        public long? RecordTypeId { get; private init; }

        public bool AutoAccept { get; private init; }

        public static WorkBatch Read(NpgsqlDataReader r)
        {
            var options = r.GetString(3);
            return new(r.GetInt64(1), Text(r, 2), new(() =>
            {
                using var document = JsonDocument.Parse(options);
                return ProcessingOptions.Read(document.RootElement, new());
            }))
            {
                RecordTypeId = Number(r, 4), AutoAccept = r.GetBoolean(5),
            };
        }
    }
}
