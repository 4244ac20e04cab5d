using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>An item that a listing brought, with the hash of its key.</summary>
internal sealed record LaunchedItem(long Id, byte[] KeyHash, int Row);

/// <summary>Turns a draft's inputs into jobs, items and first tasks, inside the launching transaction.</summary>
internal static class LaunchItems
{
    public static async Task JobsAsync(NpgsqlConnection connection, BatchRow batch, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.import_job (tenant_id, batch_id, stage, active, served_at, turn_shift, max_workers)
            SELECT @tenant, @batch, s, false, ingestion.clock(), @shift, @workers FROM unnest(@stages) s
            """;
        var options = ProcessingOptions.Read(JsonDocument.Parse(batch.Options).RootElement, new());
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", batch.TenantId), new("batch", batch.Id), new("stages", StageOrder.All.Select(s => s.Word()).ToArray()),
                new("shift", TurnShift(batch.Priority)), new("workers", options.Workers),
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Uploaded archives become inputs, whose files are items once they are listed.</summary>
    public static async Task ArchivesAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        const string sql = """
            WITH archive AS (
                UPDATE ingestion.upload SET purpose = 'archive' WHERE batch_id = @batch AND purpose = 'file' AND path ILIKE '%.zip' AND completed_at IS NOT NULL
                RETURNING id, tenant_id, batch_id, public_id, metadata
            )
            INSERT INTO ingestion.import_input (tenant_id, batch_id, ordinal, source_type, spec, state, discovered)
            SELECT a.tenant_id, a.batch_id, (SELECT coalesce(max(n.ordinal), -1) FROM ingestion.import_input n WHERE n.batch_id = @batch) + row_number() OVER (ORDER BY a.id),
                   'upload', jsonb_build_object('upload', a.public_id, 'metadata', a.metadata), 'open', 0
            FROM archive a
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId) } };
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Every file is an item, also two whose paths differ only in how their letters are composed.</summary>
    public static async Task<int> FromUploadsAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.import_item (tenant_id, batch_id, source_type, source_key, row, name, upload_id, metadata, size, state, stage, step, progress_current)
            SELECT u.tenant_id, u.batch_id, 'upload', normalize(u.path, NFC), row_number() OVER (PARTITION BY normalize(u.path, NFC) ORDER BY u.id) - 1,
                   regexp_replace(u.path, '^.*/', ''), u.id, u.metadata, u.size, 'open', 'acquire', 'pending', 0
            FROM ingestion.upload u
            WHERE u.batch_id = @batch AND u.purpose = 'file' AND u.completed_at IS NOT NULL
            ORDER BY u.id
            ON CONFLICT (batch_id, coalesce(input_id, 0), source_type, ingestion.key_hash(source_key), row) DO NOTHING
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId) } };
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Pasted addresses: the same one twice is one item.</summary>
    public static async Task<int> FromUrlsAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        const string sql = """
            WITH input AS (
                UPDATE ingestion.import_input n
                SET state = 'done', completed_at = ingestion.clock(), discovered = jsonb_array_length(n.spec -> 'urls')
                WHERE n.batch_id = @batch AND n.source_type = 'url' AND n.state = 'open'
                RETURNING n.id, n.tenant_id, n.batch_id, n.spec
            )
            INSERT INTO ingestion.import_item (tenant_id, batch_id, input_id, source_type, source_key, row, name, metadata, state, stage, step, progress_current)
            SELECT n.tenant_id, n.batch_id, n.id, 'url', normalize(u.entry ->> 'url', NFC), 0,
                   left(coalesce(nullif(u.entry ->> 'title', ''), u.entry ->> 'url'), 500), coalesce(nullif(u.entry -> 'metadata', 'null'), '{}'), 'open', 'acquire', 'pending', 0
            FROM input n CROSS JOIN LATERAL jsonb_array_elements(n.spec -> 'urls') WITH ORDINALITY AS u (entry, ord)
            ORDER BY n.id, u.ord
            ON CONFLICT (batch_id, coalesce(input_id, 0), source_type, ingestion.key_hash(source_key), row) DO NOTHING
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId) } };
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Opens acquire for every item and discover for every input still to be listed; returns the number of the latter.</summary>
    public static async Task<int> OpenTasksAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes, scheduled_at)
            SELECT i.tenant_id, i.batch_id, j.id, i.id, 'acquire', 'ready', 0, 0, 0, ingestion.clock()
            FROM ingestion.import_item i JOIN ingestion.import_job j ON j.batch_id = i.batch_id AND j.stage = 'acquire'
            WHERE i.batch_id = @batch
            ORDER BY i.id
            """;
        const string listings = """
            INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, input_id, stage, state, attempt, failures, crashes, scheduled_at)
            SELECT n.tenant_id, n.batch_id, j.id, n.id, 'discover', 'ready', 0, 0, 0, ingestion.clock()
            FROM ingestion.import_input n JOIN ingestion.import_job j ON j.batch_id = n.batch_id AND j.stage = 'discover'
            WHERE n.batch_id = @batch AND n.state = 'open'
            ORDER BY n.id
            """;
        await using (var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId) } }) await command.ExecuteNonQueryAsync(ct);
        await using var second = new NpgsqlCommand(listings, connection) { Parameters = { new("batch", batchId) } };
        return await second.ExecuteNonQueryAsync(ct);
    }

    /// <summary>
    /// Items found by a listing, in one statement, with their acquire tasks. Rows already there (a checkpoint done twice) are left alone.
    /// Returns those that were new.
    /// </summary>
    public static async Task<IReadOnlyList<LaunchedItem>> FromListingAsync(NpgsqlConnection connection, WorkInput input, IReadOnlyList<Sources.ListedItem> items, string cursor, CancellationToken ct)
    {
        const string sql = """
            WITH added AS (
                INSERT INTO ingestion.import_item
                    (tenant_id, batch_id, input_id, source_type, connection_id, upload_id, source_key, row, name, metadata, source_version_id, size, state, stage, step, progress_current)
                SELECT @tenant, @batch, @input, @type, @connection,
                       -- the archive that the file is in
                       (SELECT u.id FROM ingestion.import_input n JOIN ingestion.upload u ON u.public_id = n.spec ->> 'upload' AND u.tenant_id = n.tenant_id WHERE n.id = @input AND n.source_type = 'upload'),
                       CASE WHEN @normal THEN normalize(x.key, NFC) ELSE x.key END, x.row, left(x.name, 500), x.metadata::jsonb,
                       v.id, coalesce(v.length, x.size), 'open', 'acquire', 'pending', 0
                FROM unnest(@keys, @rows, @names, @metadatas, @sizes, @sources, @hashes) WITH ORDINALITY AS x (key, row, name, metadata, size, source, sha256, ord)
                LEFT JOIN ingestion.source_version v ON v.source_id = x.source AND v.sha256 = x.sha256
                ORDER BY x.ord
                ON CONFLICT (batch_id, coalesce(input_id, 0), source_type, ingestion.key_hash(source_key), row) DO NOTHING
                RETURNING id, tenant_id, batch_id, source_key, row
            ), tasks AS (
                INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes, scheduled_at)
                SELECT a.tenant_id, a.batch_id, j.id, a.id, 'acquire', 'ready', 0, 0, 0, ingestion.clock()
                FROM added a JOIN ingestion.import_job j ON j.batch_id = a.batch_id AND j.stage = 'acquire'
                ORDER BY a.id
            ), moved AS (
                UPDATE ingestion.import_input SET cursor = @cursor, discovered = discovered + (SELECT count(*) FROM added) WHERE id = @input
            )
            SELECT id, ingestion.key_hash(source_key), row FROM added
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", input.TenantId), new("batch", input.BatchId), new("input", input.InputId), new("type", input.SourceType), new("cursor", cursor),
                new("connection", NpgsqlDbType.Text) { Value = (object?)input.ConnectionId ?? DBNull.Value }, new("normal", Sources.SourceKinds.Find(input.SourceType) is not { ByAddress: false }),
                new("sizes", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = items.Select(i => i.Size).ToArray() },
                new("sources", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = items.Select(i => i.Content?.SourceId).ToArray() },
                new("hashes", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = items.Select(i => i.Content?.Sha256).ToArray() },
                new("keys", items.Select(i => i.SourceKey).ToArray()), new("rows", items.Select(i => i.Row).ToArray()),
                new("names", items.Select(i => i.Name).ToArray()), new("metadatas", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = items.Select(i => JsonSerializer.Serialize(i.Metadata)).ToArray() },
            },
        };
        await using var r = await command.ExecuteReaderAsync(ct);
        var added = new List<LaunchedItem>(items.Count);
        while (await r.ReadAsync(ct)) added.Add(new(r.GetInt64(0), r.GetFieldValue<byte[]>(1), r.GetInt32(2)));
        return added;
    }

    public static TimeSpan TurnShift(Priority priority) => priority switch
    {
        Priority.Urgent => TimeSpan.FromSeconds(-60),
        Priority.High => TimeSpan.FromSeconds(-20),
        Priority.Low => TimeSpan.FromSeconds(60),
        _ => TimeSpan.Zero,
    };
}
