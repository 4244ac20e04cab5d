using System.Runtime.CompilerServices;
using System.Text.Json;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// Uploaded files: known at submission, here already, hashed while they came. Of an uploaded archive each file inside is a document, whose
/// key is the archive's path and its own in it.
/// </summary>
public sealed class UploadConnector(NpgsqlDataSource worker, UploadFiles files, ZipContents archives) : ISourceConnector
{
    public string SourceType => SourceTypes.Upload;

    public async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, [EnumeratorCancellation] CancellationToken ct)
    {
        var entry = JsonSerializer.Deserialize<ArchiveEntry>(input.Spec, JsonSerializerOptions.Web)!;
        if (await FindAsync("public_id = $1", entry.Upload, input.TenantId, ct) is not { } upload) throw new IngestionException(ErrorCodes.MissingFile, "The uploaded archive is not there.");
        await using var file = Open(upload);
        foreach (var page in await archives.ListAsync(file, upload.Path + "/", ZipContents.Deepest, _ => true, entry.Metadata, ct)) yield return page;
    }

    public async Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct)
    {
        if (await FindAsync("id = $1", item.UploadId ?? 0, item.TenantId, ct) is not { } upload) throw new IngestionException(ErrorCodes.MissingFile, "The upload of this document is not there.");
        if (upload.Purpose == UploadPurposes.Archive)
        {
            await using var file = Open(upload);
            return await archives.FetchAsync(file, item.SourceKey[(upload.Path.Length + 1)..], item.Row, target, ct);
        }
        if (upload.Size == 0) throw new IngestionException(ErrorCodes.Empty, "The file is empty: it has zero bytes.");
        return new(upload.Size, upload.Sha256, upload.MediaType) { LocalPath = PathOf(upload) };
    }

    private FileStream Open(Received upload) => upload.Size == 0 ? throw new IngestionException(ErrorCodes.Empty, "The archive is empty: it has zero bytes.") : File.OpenRead(PathOf(upload));

    private string PathOf(Received upload) => files.PathOf(upload.PublicId) is var path && File.Exists(path)
        ? path
        : throw new IngestionException(ErrorCodes.MissingFile, "The uploaded file is not on disk any more.");

    private async Task<Received?> FindAsync(string which, object id, string tenantId, CancellationToken ct)
    {
        await using var command = worker.CreateCommand($"SELECT public_id, path, purpose, size, sha256, media_type FROM ingestion.upload WHERE {which} AND tenant_id = $2 AND completed_at IS NOT NULL");
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = tenantId });
        await using var r = await command.ExecuteReaderAsync(ct);
        return await r.ReadAsync(ct) ? new(r.GetString(0), r.GetString(1), r.GetString(2), r.GetInt64(3), r.GetString(4), r.IsDBNull(5) ? null : r.GetString(5)) : null;
    }

    private sealed record Received(string PublicId, string Path, string Purpose, long Size, string Sha256, string? MediaType);

    // What a launch writes of an archive.
    private sealed record ArchiveEntry(string Upload, IReadOnlyDictionary<string, string> Metadata);
}
