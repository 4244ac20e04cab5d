using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// Batches being put together. A draft is a pending batch that survives reloads and restarts; uploads and inputs hang on it until it is
/// launched or discarded.
/// </summary>
public sealed class Drafts(NpgsqlDataSource worker)
{
    public async Task<Submitted> CreateAsync(Actor actor, SubmissionRequest request, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var (id, publicId) = await InsertAsync(connection, actor, request, ct);
        await transaction.CommitAsync(ct);
        return new(id, publicId, false);
    }

    /// <summary>Saves what the wizard's first pages hold. False where the draft was launched or discarded meanwhile.</summary>
    public async Task<bool> SaveAsync(Actor actor, long batchId, SubmissionRequest request, CancellationToken ct)
    {
        request.Options.Require();
        const string sql = """
            UPDATE ingestion.import_batch b
            SET name = @name, description = @description, priority = @priority, options = @options, collection_id = c.id
            FROM ingestion.collection c
            WHERE b.id = @batch AND b.tenant_id = @tenant AND b.draft AND c.tenant_id = b.tenant_id AND c.key = @collection AND (@reach IS NULL OR c.id = ANY (@reach))
            """;
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var command = Describe(new(sql, connection), actor, request);
        command.Parameters.Add(new("batch", batchId));
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <summary>Replaces the draft's pasted addresses.</summary>
    public async Task SetUrlsAsync(Actor actor, long batchId, IReadOnlyList<UrlEntry> urls, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await BatchRow.LockAsync(connection, batchId, actor.TenantId, ct) is not { Draft: true }) return;
        await using (var delete = new NpgsqlCommand("DELETE FROM ingestion.import_input WHERE batch_id = @batch AND source_type = 'url'", connection) { Parameters = { new("batch", batchId) } })
            await delete.ExecuteNonQueryAsync(ct);
        if (urls.Count > 0) await AddInputAsync(connection, actor, batchId, SourceTypes.Url, JsonSerializer.Serialize(new { urls }), ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Adds an uploaded manifest with its mapping, or replaces the mapping it had.</summary>
    public async Task SetManifestAsync(Actor actor, long batchId, ManifestEntry manifest, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await BatchRow.LockAsync(connection, batchId, actor.TenantId, ct) is not { Draft: true }) return;
        await DeleteManifestAsync(connection, batchId, manifest.Upload, ct);
        await AddInputAsync(connection, actor, batchId, SourceTypes.Manifest, JsonSerializer.Serialize(manifest), ct);
        await transaction.CommitAsync(ct);
    }

    public async Task RemoveManifestAsync(Actor actor, long batchId, string upload, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await BatchRow.LockAsync(connection, batchId, actor.TenantId, ct) is not { Draft: true }) return;
        await DeleteManifestAsync(connection, batchId, upload, ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Replaces what the draft takes from sources. Throws <c>invalid_option</c> with nothing changed.</summary>
    public async Task SetSourcesAsync(Actor actor, long batchId, IReadOnlyList<SourceSelection> selections, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await BatchRow.LockAsync(connection, batchId, actor.TenantId, ct) is not { Draft: true }) return;
        await using (var delete = new NpgsqlCommand("DELETE FROM ingestion.import_input WHERE batch_id = @batch AND source_type <> ALL (@own)", connection) { Parameters = { new("batch", batchId), new("own", SubmissionSources.Own) } })
            await delete.ExecuteNonQueryAsync(ct);
        await SubmissionSources.AddAsync(connection, actor, batchId, selections, new Dictionary<string, JsonElement>(), ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Throws the draft away with its inputs; the sweep removes its uploaded bytes. False where it is no draft any more.</summary>
    public async Task<bool> DiscardAsync(Actor actor, long batchId, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("DELETE FROM ingestion.import_batch WHERE id = $1 AND tenant_id = $2 AND draft");
        command.Parameters.Add(new() { Value = batchId });
        command.Parameters.Add(new() { Value = actor.TenantId });
        return await command.ExecuteNonQueryAsync(ct) == 1;
    }

    internal static async Task<(long Id, string PublicId)> InsertAsync(NpgsqlConnection connection, Actor actor, SubmissionRequest request, CancellationToken ct)
    {
        const string sql = """
            WITH b AS (
                INSERT INTO ingestion.import_batch (tenant_id, public_id, collection_id, name, description, priority, state, desired_state, draft, auto_start, options, created_by, created_at)
                SELECT @tenant, @public, c.id, @name, @description, @priority, 'pending', 'run', true, false, @options, @who, ingestion.clock()
                FROM ingestion.collection c WHERE c.tenant_id = @tenant AND c.key = @collection AND (@reach IS NULL OR c.id = ANY (@reach))
                RETURNING id, tenant_id
            ), s AS (
                INSERT INTO ingestion.import_batch_seq (batch_id, tenant_id) SELECT id, tenant_id FROM b
            )
            SELECT id FROM b
            """;
        var publicId = PublicId.New("job_");
        await using var command = Describe(new(sql, connection), actor, request);
        command.Parameters.Add(new("public", publicId));
        command.Parameters.Add(new("who", request.Owner ?? actor.Name));
        return await command.ExecuteScalarAsync(ct) is long id
            ? (id, publicId)
            : throw new IngestionException(ErrorCodes.InvalidOption, $"There is no collection '{request.Collection}'.");
    }

    /// <summary>Hangs completed or running uploads on the batch. Throws where one is unknown, another person's, or belongs to another batch.</summary>
    internal static async Task AttachUploadsAsync(NpgsqlConnection connection, Actor actor, long batchId, IReadOnlyList<string> uploads, string purpose, CancellationToken ct)
    {
        if (uploads.Count == 0) return;
        const string sql = """
            UPDATE ingestion.upload SET batch_id = @batch, purpose = @purpose
            WHERE tenant_id = @tenant AND public_id = ANY(@uploads) AND (batch_id = @batch OR batch_id IS NULL AND created_by = @who)
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("batch", batchId), new("purpose", purpose), new("tenant", actor.TenantId), new("who", actor.Name), new("uploads", uploads.ToArray()) },
        };
        if (await command.ExecuteNonQueryAsync(ct) != uploads.Distinct().Count())
            throw new IngestionException(ErrorCodes.MissingFile, "An upload is unknown, or belongs to another batch.");
    }

    /// <summary>Lays what a submission says of its uploads over what each came with.</summary>
    internal static async Task DescribeUploadsAsync(NpgsqlConnection connection, long batchId, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> metadata, CancellationToken ct)
    {
        if (metadata.Count == 0) return;
        const string sql = """
            UPDATE ingestion.upload u SET metadata = u.metadata || m.metadata::jsonb
            FROM unnest(@uploads, @metadatas) AS m (upload, metadata)
            WHERE u.batch_id = @batch AND u.public_id = m.upload
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("batch", batchId), new("uploads", metadata.Keys.ToArray()),
                new("metadatas", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = metadata.Values.Select(m => JsonSerializer.Serialize(m).Replace("\\u0000", "\\uFFFD", StringComparison.Ordinal)).ToArray() },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    internal static async Task AddInputAsync(NpgsqlConnection connection, Actor actor, long batchId, string sourceType, string spec, CancellationToken ct, string? connectionId = null)
    {
        const string sql = """
            INSERT INTO ingestion.import_input (tenant_id, batch_id, ordinal, source_type, connection_id, spec, state, discovered)
            SELECT @tenant, @batch, coalesce(max(ordinal) + 1, 0), @type, @connection, @spec, 'open', 0 FROM ingestion.import_input WHERE batch_id = @batch
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("tenant", actor.TenantId), new("batch", batchId), new("type", sourceType), new("spec", NpgsqlDbType.Jsonb) { Value = spec.Replace("\\u0000", "\\uFFFD", StringComparison.Ordinal) },
                new("connection", NpgsqlDbType.Text) { Value = (object?)connectionId ?? DBNull.Value } },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task DeleteManifestAsync(NpgsqlConnection connection, long batchId, string upload, CancellationToken ct)
    {
        await using var delete = new NpgsqlCommand("DELETE FROM ingestion.import_input WHERE batch_id = @batch AND source_type = 'manifest' AND spec ->> 'upload' = @upload", connection)
        {
            Parameters = { new("batch", batchId), new("upload", upload) },
        };
        await delete.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlCommand Describe(NpgsqlCommand command, Actor actor, SubmissionRequest request)
    {
        command.Parameters.Add(new("tenant", actor.TenantId));
        command.Parameters.Add(new("name", request.Name.Replace('\0', '\uFFFD')));
        command.Parameters.Add(new("description", NpgsqlDbType.Text) { Value = (object?)request.Description?.Replace('\0', '\uFFFD') ?? DBNull.Value });
        command.Parameters.Add(new("priority", request.Priority.Word()));
        command.Parameters.Add(new("options", NpgsqlDbType.Jsonb) { Value = JsonSerializer.Serialize(request.Options) });
        command.Parameters.Add(new("collection", request.Collection));
        command.Parameters.Add(new("reach", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = (object?)actor.Narrowing.Collections?.ToArray() ?? DBNull.Value });
        return command;
    }
}
