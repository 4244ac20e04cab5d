using System.Runtime.CompilerServices;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>Uploaded files: known at submission, here already, hashed while they came.</summary>
public sealed class UploadConnector(NpgsqlDataSource worker, UploadFiles files) : ISourceConnector
{
    public string SourceType => SourceTypes.Upload;

    public async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, [EnumeratorCancellation] CancellationToken ct)
    {
        await Task.CompletedTask;
        yield break;
    }

    public async Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct)
    {
        const string sql = "SELECT public_id, size, sha256, media_type FROM ingestion.upload WHERE id = $1 AND tenant_id = $2 AND completed_at IS NOT NULL";
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = item.UploadId ?? 0 });
        command.Parameters.Add(new() { Value = item.TenantId });
        await using var r = await command.ExecuteReaderAsync(ct);
        if (!await r.ReadAsync(ct)) throw new IngestionException(ErrorCodes.MissingFile, "The upload of this document is not there.");
        var path = files.PathOf(r.GetString(0));
        var size = r.GetInt64(1);
        if (size == 0) throw new IngestionException(ErrorCodes.Empty, "The file is empty: it has zero bytes.");
        if (!File.Exists(path)) throw new IngestionException(ErrorCodes.MissingFile, "The uploaded file is not on disk any more.");
        return new(size, r.GetString(2), r.IsDBNull(3) ? null : r.GetString(3)) { LocalPath = path };
    }
}
