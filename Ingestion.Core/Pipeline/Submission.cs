using System.Text.Json;
using Ingestion.Core.Events;
using Ingestion.Core.Sources;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>The one way in. A submission is one transaction: batch, inputs, items, tasks and first events, or nothing.</summary>
public sealed class Submission(NpgsqlDataSource worker, Hints hints, StageWaker waker, BatchDuties duties, PipelineOptions options, ILogger<Submission> log)
{
    /// <summary>
    /// Creates and launches a batch. Throws <see cref="IngestionException"/> (<c>invalid_option</c>, <c>too_many_items</c>) with nothing
    /// created, and <see cref="IdempotencyConflictException"/>.
    /// </summary>
    public async Task<Submitted> SubmitAsync(Actor actor, SubmissionRequest request, Idempotency? idempotency, CancellationToken ct)
    {
        request.Options.Require();
        SourceKinds.RequireOptions(request.Options.SourceSpecificOptions);
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (idempotency is not null && await RepeatedAsync(connection, actor, idempotency, ct) is { } earlier) return earlier;
        var (id, publicId) = await Drafts.InsertAsync(connection, actor, request, ct);
        if (idempotency is not null) await RememberAsync(connection, actor, idempotency, id, ct);
        await Drafts.AttachUploadsAsync(connection, actor, id, request.Uploads, "file", ct);
        await Drafts.DescribeUploadsAsync(connection, id, request.UploadMetadata, ct);
        await Drafts.AttachUploadsAsync(connection, actor, id, [.. request.Manifests.Select(m => m.Upload)], "manifest", ct);
        if (request.Urls.Count > 0) await Drafts.AddInputAsync(connection, actor, id, SourceTypes.Url, JsonSerializer.Serialize(new { urls = request.Urls }), ct);
        foreach (var manifest in request.Manifests) await Drafts.AddInputAsync(connection, actor, id, SourceTypes.Manifest, JsonSerializer.Serialize(manifest), ct);
        await SubmissionSources.AddAsync(connection, actor, id, request.Sources, request.Options.SourceSpecificOptions, ct);
        if (request.Webhook is { } webhook) await Webhooks.WebhookDesk.InsertAsync(connection, actor, webhook, id, ct);
        await LaunchAsync(connection, actor, id, request.AutoStart, request.OpenArchives, ct);
        await transaction.CommitAsync(ct);
        await WakeAsync(id, ct);
        return new(id, publicId, false);
    }

    /// <summary>Launches a draft that the wizard put together. False where it is no draft any more.</summary>
    public async Task<bool> LaunchDraftAsync(Actor actor, long batchId, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await BatchRow.LockAsync(connection, batchId, actor.TenantId, ct) is not { Draft: true }) return false;
        await LaunchAsync(connection, actor, batchId, autoStart: true, openArchives: true, ct);
        await transaction.CommitAsync(ct);
        await WakeAsync(batchId, ct);
        return true;
    }

    private async Task WakeAsync(long batchId, CancellationToken ct)
    {
        hints.Changed(batchId);
        try
        {
            await duties.ActivateAsync(ct);
        }
        catch (Exception e) when (Transient.Is(e) || e is OperationCanceledException)
        {
            // It is committed: whoever asked must not be told that it failed.
            log.ActivationLate(batchId, e.Message);
        }
        waker.WakeAll();
    }

    private async Task LaunchAsync(NpgsqlConnection connection, Actor actor, long batchId, bool autoStart, bool openArchives, CancellationToken ct)
    {
        var batch = await BatchRow.LockAsync(connection, batchId, actor.TenantId, ct) ?? throw new InvalidOperationException($"batch {batchId} is gone");
        await RequireCompleteUploadsAsync(connection, batchId, ct);
        await LaunchItems.JobsAsync(connection, batch, ct);
        if (openArchives) await LaunchItems.ArchivesAsync(connection, batchId, ct);
        var uploads = await LaunchItems.FromUploadsAsync(connection, batchId, ct);
        var urls = await LaunchItems.FromUrlsAsync(connection, batchId, ct);
        var items = uploads + urls + await SubmissionSources.ItemsAsync(connection, batchId, ct);
        if (items > options.MaxItemsPerBatch)
            throw new IngestionException(ErrorCodes.TooManyItems, $"The batch has {items:N0} items; {options.MaxItemsPerBatch:N0} are allowed.");
        var listings = await LaunchItems.OpenTasksAsync(connection, batchId, ct);
        if (items + listings == 0) throw new IngestionException(ErrorCodes.InvalidOption, "The batch is empty: add files, addresses, a manifest or a source.");

        await using (var update = new NpgsqlCommand("UPDATE ingestion.import_batch SET draft = false, auto_start = @auto, state = @state WHERE id = @batch", connection)
        {
            Parameters = { new("batch", batchId), new("auto", autoStart), new("state", (autoStart ? BatchState.Queued : BatchState.Pending).Word()) },
        })
            await update.ExecuteNonQueryAsync(ct);
        await AuditLog.WriteAsync(connection, actor, "submit", $"batch {batch.PublicId}", ct);
        var events = new List<NewEvent> { new(EventKinds.BatchSubmitted) };
        if (items > 0) events.Add(new(EventKinds.ItemsDiscovered, Data: $$"""{"count":{{items}}}"""));
        await ImportEvents.AppendAsync(connection, batchId, events, ct);
    }

    private static async Task RequireCompleteUploadsAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT count(*)::int FROM ingestion.upload WHERE batch_id = @batch AND completed_at IS NULL", connection) { Parameters = { new("batch", batchId) } };
        if (await command.ExecuteScalarAsync(ct) is int n and > 0)
            throw new IngestionException(ErrorCodes.InvalidOption, n == 1 ? "1 upload is not finished: let it finish, or remove it." : $"{n} uploads are not finished: let them finish, or remove them.");
    }

    private static async Task<Submitted?> RepeatedAsync(NpgsqlConnection connection, Actor actor, Idempotency idempotency, CancellationToken ct)
    {
        // The lock makes a second request with the same key wait for the first; after it the first one's row is visible.
        const string sql = """
            SELECT pg_advisory_xact_lock(hashtextextended(@tenant || '/' || @caller || '/' || @key, 0));
            SELECT k.request_hash, b.id, b.public_id
            FROM ingestion.idempotency_key k JOIN ingestion.import_batch b ON b.id = k.batch_id
            WHERE k.tenant_id = @tenant AND k.caller = @caller AND k.key = @key AND k.created_at > ingestion.clock() - interval '24 hours'
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("tenant", actor.TenantId), new("caller", actor.Name), new("key", idempotency.Key) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.NextResultAsync(ct);
        if (!await r.ReadAsync(ct)) return null;
        if (!r.GetFieldValue<byte[]>(0).AsSpan().SequenceEqual(idempotency.RequestHash)) throw new IdempotencyConflictException();
        return new(r.GetInt64(1), r.GetString(2), true);
    }

    private static async Task RememberAsync(NpgsqlConnection connection, Actor actor, Idempotency idempotency, long batchId, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.idempotency_key (tenant_id, caller, key, request_hash, batch_id, created_at)
            VALUES (@tenant, @caller, @key, @hash, @batch, ingestion.clock())
            ON CONFLICT (tenant_id, caller, key) DO UPDATE SET request_hash = excluded.request_hash, batch_id = excluded.batch_id, created_at = excluded.created_at
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("tenant", actor.TenantId), new("caller", actor.Name), new("key", idempotency.Key), new("hash", NpgsqlDbType.Bytea) { Value = idempotency.RequestHash }, new("batch", batchId) },
        };
        await command.ExecuteNonQueryAsync(ct);
    }
}
