using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// Files that clients send: a row first, then bytes at offsets, hashed while they are written. A connection that drops costs the part
/// that was under way; the client asks for the offset and goes on.
/// </summary>
public sealed class UploadStore(Contexts contexts, UploadFiles files, PipelineOptions options, TimeProvider time)
{
    private const int BufferSize = 1 << 17;
    private readonly ConcurrentDictionary<string, Hashing> _hashing = new();
    private readonly ConcurrentDictionary<string, SemaphoreSlim> _writers = new();

    /// <summary>
    /// Announces a file. Throws <c>too_large</c> before a byte is sent. The same path in the same draft with the same size is the same
    /// upload: it goes on where it stopped.
    /// </summary>
    public async Task<Upload> CreateAsync(Actor actor, NewUpload request, CancellationToken ct)
    {
        if (request.Size > options.MaxFileSizeBytes)
            throw new IngestionException(ErrorCodes.TooLarge, $"{CleanPath(request.Path)} has {request.Size:N0} bytes; {options.MaxFileSizeBytes:N0} are allowed.");
        ArgumentOutOfRangeException.ThrowIfNegative(request.Size);
        var path = CleanPath(request.Path);
        await using var db = contexts.Worker();
        if (request.BatchId is { } batch)
        {
            if (!await db.Batches.AnyAsync(b => b.Id == batch && b.TenantId == actor.TenantId && b.Draft, ct)) throw new DraftGoneException();
            var existing = await db.Uploads.FirstOrDefaultAsync(u => u.BatchId == batch && u.Purpose == request.Purpose && u.Path == path, ct);
            if (existing is not null && existing.Size == request.Size && existing.CompletedAt is null) return existing;
            if (existing is not null) await RemoveAsync(actor, existing.PublicId, ct);
        }
        var upload = new Upload
        {
            TenantId = actor.TenantId, PublicId = PublicId.New("up_"), BatchId = request.BatchId, Purpose = request.Purpose, Path = path,
            MediaType = request.MediaType, Size = request.Size, CreatedBy = actor.Name, Metadata = System.Text.Json.JsonSerializer.Serialize(request.Metadata ?? new Dictionary<string, string>()),
        };
        db.Add(upload);
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException e) when (e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            // Two tabs announced the same path at once: both send to the one that was first.
            await using var again = contexts.Worker();
            return await again.Uploads.SingleAsync(u => u.BatchId == request.BatchId && u.Purpose == request.Purpose && u.Path == path, ct);
        }
        if (request.Size == 0) await CompleteAsync(upload, SHA256.Create(), ct);
        return upload;
    }

    public async Task<Upload?> FindAsync(string tenantId, string publicId, CancellationToken ct)
    {
        await using var db = contexts.For(tenantId);
        return await db.Uploads.AsNoTracking().FirstOrDefaultAsync(u => u.PublicId == publicId, ct);
    }

    /// <summary>
    /// Appends bytes at an offset and returns the new one; null where the upload is unknown. Throws <see cref="UploadOffsetException"/>
    /// where the offset is not ours, <c>too_large</c> where more comes than was announced. What arrived before a failure stays.
    /// </summary>
    public async Task<long?> WriteAsync(string tenantId, string publicId, long offset, Stream body, CancellationToken ct)
    {
        if (await FindAsync(tenantId, publicId, ct) is not { } upload) return null;
        var writer = _writers.GetOrAdd(publicId, _ => new(1, 1));
        if (!await writer.WaitAsync(TimeSpan.FromSeconds(30), ct)) throw new UploadOffsetException(upload.Received);
        try
        {
            upload = await FindAsync(tenantId, publicId, ct) ?? upload;
            if (upload.CompletedAt is not null) return offset == upload.Size ? offset : throw new UploadOffsetException(upload.Size);
            await using var file = new FileStream(files.PathOf(publicId), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 0, FileOptions.Asynchronous);
            if (offset != file.Length) throw new UploadOffsetException(file.Length);
            var hash = await HashOfAsync(publicId, file, ct);
            file.Position = offset;
            try
            {
                await AppendAsync(upload, file, hash, body, ct);
            }
            finally
            {
                await RecordAsync(upload, file.Length, CancellationToken.None);
            }
            if (file.Length == upload.Size)
            {
                file.Flush(flushToDisk: true);
                await CompleteAsync(upload, hash.Algorithm, ct);
                _hashing.TryRemove(publicId, out _);
                _writers.TryRemove(publicId, out _);
            }
            return file.Length;
        }
        catch (IOException e) when (DiskSpace.IsExhausted(e))
        {
            throw new IngestionException(ErrorCodes.StorageFull, "There is no space left for uploads.", e);
        }
        finally
        {
            writer.Release();
        }
    }

    /// <summary>The bytes received so far as a client may go on from.</summary>
    public long OffsetOf(Upload upload)
    {
        if (upload.CompletedAt is not null) return upload.Size;
        var file = new FileInfo(files.PathOf(upload.PublicId));
        return file.Exists ? file.Length : 0;
    }

    /// <summary>Forgets an upload that no item stands on. False where there is none such.</summary>
    public async Task<bool> RemoveAsync(Actor actor, string publicId, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        var removed = await db.Uploads
            .Where(u => u.PublicId == publicId && u.TenantId == actor.TenantId && !db.Items.Any(i => i.UploadId == u.Id))
            .ExecuteDeleteAsync(ct);
        if (removed == 0) return false;
        _hashing.TryRemove(publicId, out _);
        File.Delete(files.PathOf(publicId));
        return true;
    }

    /// <summary>A client's path as text: slashes forward, controls made visible, bounded. It names nothing on our disk.</summary>
    public static string CleanPath(string path)
    {
        var clean = string.Concat(path.Replace('\\', '/').Select(c => char.IsControl(c) ? '\uFFFD' : c)).Trim().TrimStart('/');
        if (clean.Length == 0) clean = "unnamed";
        return (clean.Length <= 1000 ? clean : clean[^1000..]).Normalize();
    }

    private static async Task AppendAsync(Upload upload, FileStream file, Hashing hash, Stream body, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            for (int n; (n = await body.ReadAsync(buffer, ct)) > 0;)
            {
                if (file.Length + n > upload.Size) throw new IngestionException(ErrorCodes.TooLarge, $"More bytes came than the {upload.Size:N0} that were announced.");
                await file.WriteAsync(buffer.AsMemory(0, n), ct);
                hash.Algorithm.TransformBlock(buffer, 0, n, null, 0);
                hash.Hashed += n;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // The hash so far lives in memory; after a restart, or a write that failed half-way, it is made again from the file.
    private async Task<Hashing> HashOfAsync(string publicId, FileStream file, CancellationToken ct)
    {
        if (_hashing.TryGetValue(publicId, out var kept) && kept.Hashed == file.Length) return kept;
        var hash = new Hashing();
        file.Position = 0;
        var buffer = new byte[BufferSize];
        for (int n; (n = await file.ReadAsync(buffer, ct)) > 0;)
        {
            hash.Algorithm.TransformBlock(buffer, 0, n, null, 0);
            hash.Hashed += n;
        }
        return _hashing[publicId] = hash;
    }

    private async Task RecordAsync(Upload upload, long received, CancellationToken ct)
    {
        await using var db = contexts.Worker();
        var now = time.GetUtcNow();
        await db.Uploads.Where(u => u.Id == upload.Id).ExecuteUpdateAsync(s => s.SetProperty(u => u.Received, received).SetProperty(u => u.UpdatedAt, now), ct);
    }

    private async Task CompleteAsync(Upload upload, SHA256 hash, CancellationToken ct)
    {
        hash.TransformFinalBlock([], 0, 0);
        upload.Sha256 = Convert.ToHexStringLower(hash.Hash!);
        upload.CompletedAt = time.GetUtcNow();
        await using var db = contexts.Worker();
        await db.Uploads.Where(u => u.Id == upload.Id).ExecuteUpdateAsync(s => s
            .SetProperty(u => u.Received, upload.Size).SetProperty(u => u.Sha256, upload.Sha256).SetProperty(u => u.CompletedAt, upload.CompletedAt).SetProperty(u => u.UpdatedAt, upload.CompletedAt), ct);
    }

    private sealed class Hashing
    {
        public readonly SHA256 Algorithm = SHA256.Create();
        public long Hashed;
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
