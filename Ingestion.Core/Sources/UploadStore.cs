using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// Files that clients send: a row first, then bytes at offsets, hashed while they are written. A connection that drops costs the part
/// that was under way; the client asks for the offset and goes on.
/// </summary>
public sealed class UploadStore(Contexts contexts, UploadFiles files, PipelineOptions options, IOptions<LimitOptions> limits, TimeProvider time)
{
    private const int BufferSize = 1 << 17;
    private static readonly TimeSpan WriterPatience = TimeSpan.FromSeconds(15);
    private readonly ConcurrentDictionary<string, UploadWriter> _writers = new();

    /// <summary>
    /// Announces a file. Throws <c>too_large</c> or <c>quota_exceeded</c> before a byte is sent, <see cref="DraftGoneException"/> where the batch takes no more. The
    /// same path in the same draft with the same size is the same upload while it is unfinished: it goes on where it stopped. A finished
    /// one is replaced.
    /// </summary>
    public async Task<Upload> CreateAsync(Actor actor, NewUpload request, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(request.Size);
        var path = UploadPath.Clean(request.Path);
        RequireSize(path, request.Size);
        if (request.BatchId is { } batch && await UnfinishedAsync(actor, batch, path, request, ct) is { } existing) return existing;
        var upload = new Upload
        {
            TenantId = actor.TenantId, PublicId = PublicId.New("up_"), BatchId = request.BatchId, Purpose = request.Purpose, Path = path,
            MediaType = request.MediaType, Size = request.Size, CreatedBy = actor.Name, Metadata = MetadataJson(request.Metadata),
        };
        if (request.Size == 0) (upload.Sha256, upload.CompletedAt) = (Convert.ToHexStringLower(SHA256.HashData([])), time.GetUtcNow());
        try
        {
            await InsertAsync(upload, ct);
            return upload;
        }
        catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            // Two tabs announced the same path at once: both send to the one that was first.
            await using var again = contexts.Worker();
            return await again.Uploads.SingleAsync(u => u.BatchId == request.BatchId && u.Purpose == request.Purpose && u.Path == path, ct);
        }
    }

    /// <summary>Throws <c>too_large</c> where a file of this size is not taken; asked before anything is read.</summary>
    public void RequireSize(string path, long size)
    {
        if (size > options.MaxFileSizeBytes)
            throw new IngestionException(ErrorCodes.TooLarge, $"{path} has {size:N0} bytes; {options.MaxFileSizeBytes:N0} are allowed.");
    }

    public async Task<Upload?> FindAsync(Scope scope, string publicId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return await db.Uploads.AsNoTracking().FirstOrDefaultAsync(u => u.PublicId == publicId, ct);
    }

    /// <summary>
    /// Appends bytes at an offset and returns the new one; null where the upload is unknown, or was removed meanwhile. Throws
    /// <see cref="UploadOffsetException"/> where the offset is not ours, <c>too_large</c> where more comes than was announced,
    /// <c>storage_full</c>. What arrived before a failure stays. No bytes at the offset of the size finish an upload whose last answer was lost.
    /// </summary>
    public async Task<long?> WriteAsync(Scope scope, string publicId, long offset, Stream body, CancellationToken ct)
    {
        if (await FindAsync(scope, publicId, ct) is null) return null;
        var writer = _writers.GetOrAdd(publicId, _ => new());
        // A client whose connection broke comes back before the server has noticed: its first request is given time to end.
        if (!await writer.Gate.WaitAsync(WriterPatience, ct)) throw new UploadOffsetException(LengthOf(publicId));
        try
        {
            // Read again: another writer may have finished it, or a person removed it.
            if (await FindAsync(scope, publicId, ct) is not { } upload) return Forget(publicId);
            if (upload.CompletedAt is not null) return offset == upload.Size ? offset : throw new UploadOffsetException(upload.Size);
            await using var file = new FileStream(files.PathOf(publicId), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 0, FileOptions.Asynchronous);
            if (offset != file.Length) throw new UploadOffsetException(file.Length);
            var hash = await writer.HashOfAsync(file, ct);
            try
            {
                await AppendAsync(upload, file, hash, body, ct);
            }
            finally
            {
                await RecordAsync(upload, file.Length, CancellationToken.None);
            }
            if (file.Length < upload.Size) return file.Length;
            file.Flush(flushToDisk: true);
            var there = await CompleteAsync(upload, hash, ct);
            Forget(publicId);
            return there ? file.Length : null;
        }
        catch (IOException e) when (DiskSpace.IsExhausted(e))
        {
            throw new IngestionException(ErrorCodes.StorageFull, "There is no space left for uploads.", e);
        }
        finally
        {
            writer.Gate.Release();
        }
    }

    /// <summary>The bytes received so far as a client may go on from.</summary>
    public long OffsetOf(Upload upload) => upload.CompletedAt is not null ? upload.Size : LengthOf(upload.PublicId);

    /// <summary>A draft's uploads in the order they were announced, after a row id.</summary>
    public async Task<IReadOnlyList<Upload>> ListAsync(Scope scope, long batchId, string purpose, long after, int take, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return await db.Uploads.AsNoTracking().Where(u => u.BatchId == batchId && u.Purpose == purpose && u.Id > after).OrderBy(u => u.Id).Take(take).ToListAsync(ct);
    }

    /// <summary>Forgets an upload that no item stands on. False where there is none such.</summary>
    public async Task<bool> RemoveAsync(Actor actor, string publicId, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        var removed = await db.Uploads
            .Where(u => u.PublicId == publicId && u.TenantId == actor.TenantId && !db.Items.Any(i => i.UploadId == u.Id))
            .ExecuteDeleteAsync(ct);
        if (removed == 0) return false;
        Forget(publicId);
        File.Delete(files.PathOf(publicId));
        return true;
    }

    /// <summary>Forgets a draft's uploads of one purpose, or only the unfinished ones of it, and returns how many; 0 once it was launched.</summary>
    public async Task<int> RemoveAllAsync(Actor actor, long batchId, string purpose, bool onlyUnfinished, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        var gone = db.Uploads.Where(u => u.BatchId == batchId && u.TenantId == actor.TenantId && u.Purpose == purpose && (!onlyUnfinished || u.CompletedAt == null)
            && db.Batches.Any(b => b.Id == batchId && b.Draft));
        var ids = await gone.Select(u => u.PublicId).ToListAsync(ct);
        var removed = await gone.Where(u => ids.Contains(u.PublicId)).ExecuteDeleteAsync(ct);
        foreach (var id in ids)
        {
            Forget(id);
            // One that was launched between the two statements keeps its bytes.
            if (removed == ids.Count) File.Delete(files.PathOf(id));
        }
        return removed;
    }

    private static async Task AppendAsync(Upload upload, FileStream file, RunningHash hash, Stream body, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (int n; (n = await body.ReadAsync(buffer, ct)) > 0;)
            {
                if (file.Length + n > upload.Size) throw new IngestionException(ErrorCodes.TooLarge, $"More bytes came than the {upload.Size:N0} that were announced.");
                await file.WriteAsync(buffer.AsMemory(0, n), ct);
                hash.Append(buffer.AsSpan(0, n));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task<Upload?> UnfinishedAsync(Actor actor, long batch, string path, NewUpload request, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        var existing = await db.Uploads.AsNoTracking().FirstOrDefaultAsync(u => u.BatchId == batch && u.TenantId == actor.TenantId && u.Purpose == request.Purpose && u.Path == path, ct);
        if (existing is not null && existing.Size == request.Size && existing.CompletedAt is null) return existing;
        // Where it cannot be removed the batch was launched, which the insert finds out under its lock.
        if (existing is not null) await RemoveAsync(actor, existing.PublicId, ct);
        return null;
    }

    private async Task InsertAsync(Upload upload, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        // Held against the launch: what is announced after it would never become an item.
        if (upload.BatchId is { } batch
            && (await db.Database.SqlQuery<long>($"SELECT id AS \"Value\" FROM ingestion.import_batch WHERE id = {batch} AND tenant_id = {upload.TenantId} AND draft AND deleted_at IS NULL FOR SHARE").ToListAsync(ct)).Count == 0)
            throw new DraftGoneException();
        await RateLimits.SpendAsync((NpgsqlConnection)db.Database.GetDbConnection(), $"uploads/{upload.TenantId}/{upload.CreatedBy}", upload.Size, limits.Value.UploadMegabytesPerDay * 1024L * 1024L, time.GetUtcNow(), ct);
        db.Add(upload);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    private long LengthOf(string publicId)
    {
        var file = new FileInfo(files.PathOf(publicId));
        return file.Exists ? file.Length : 0;
    }

    private long? Forget(string publicId)
    {
        _writers.TryRemove(publicId, out _);
        return null;
    }

    // The database takes no U+0000 in text.
    private static string MetadataJson(IReadOnlyDictionary<string, string>? metadata) =>
        JsonSerializer.Serialize((metadata ?? new Dictionary<string, string>()).ToDictionary(m => m.Key.Replace('\0', '\uFFFD'), m => m.Value.Replace('\0', '\uFFFD')));

    private async Task RecordAsync(Upload upload, long received, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        var now = time.GetUtcNow();
        await db.Uploads.Where(u => u.Id == upload.Id).ExecuteUpdateAsync(s => s.SetProperty(u => u.Received, received).SetProperty(u => u.UpdatedAt, now), ct);
    }

    private async Task<bool> CompleteAsync(Upload upload, RunningHash hash, CancellationToken ct)
    {
        var sha256 = hash.Value;
        var now = time.GetUtcNow();
        await using var db = contexts.Worker();
        return await db.Uploads.Where(u => u.Id == upload.Id).ExecuteUpdateAsync(s => s
            .SetProperty(u => u.Received, upload.Size).SetProperty(u => u.Sha256, sha256).SetProperty(u => u.CompletedAt, now).SetProperty(u => u.UpdatedAt, now), ct) == 1;
    }
}

/// <param name="Purpose"><c>file</c> or <c>manifest</c>.</param>
public sealed record NewUpload(string Path, long Size, long? BatchId = null, string Purpose = "file", string? MediaType = null, IReadOnlyDictionary<string, string>? Metadata = null);

/// <summary>The client's offset is not ours; <see cref="Offset"/> is where to go on.</summary>
public sealed class UploadOffsetException(long offset) : Exception($"the upload stands at {offset}")
{
    public long Offset { get; } = offset;
}

/// <summary>The draft was launched or discarded meanwhile.</summary>
public sealed class DraftGoneException() : Exception("This draft was launched or discarded meanwhile.");
