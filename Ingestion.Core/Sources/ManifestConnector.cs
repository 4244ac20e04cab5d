using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// CSV manifests, uploaded or in a directory of the server: a row is an item, its other columns are metadata; fetched as single addresses are.
/// </summary>
public sealed class ManifestConnector(NpgsqlDataSource worker, UploadFiles files, DirectoryConnector directories, UrlConnector urls, PipelineOptions options) : ISourceConnector
{
    private const int PageSize = 500;

    public string SourceType => SourceTypes.Manifest;

    public async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, [EnumeratorCancellation] CancellationToken ct)
    {
        var entry = JsonSerializer.Deserialize<ManifestEntry>(input.Spec)!;
        await using (var counting = await OpenAsync(input, entry, ct))
        {
            var count = await ManifestReader.CountRowsAsync(counting, ct);
            if (count.Rows > options.MaxItemsPerBatch)
                throw new IngestionException(ErrorCodes.TooManyItems, $"The manifest has {count.Rows:N0} rows; {options.MaxItemsPerBatch:N0} items are allowed in a batch.");
        }
        var done = input.Cursor is { } cursor ? int.Parse(cursor, CultureInfo.InvariantCulture) : 0;
        var page = new List<ListedItem>(PageSize);
        await using var stream = await OpenAsync(input, entry, ct);
        await foreach (var row in ManifestReader.ReadAsync(stream, entry.UrlColumn.Length == 0 ? null : new(entry.UrlColumn, entry.TitleColumn), ct))
        {
            if (row.RowNumber <= done) continue;
            page.Add(new(row.Url, row.RowNumber, NameOf(row), Metadata(row)));
            if (page.Count < PageSize) continue;
            yield return new([.. page], row.RowNumber.ToString(CultureInfo.InvariantCulture));
            page.Clear();
        }
        if (page.Count > 0) yield return new(page, page[^1].Row.ToString(CultureInfo.InvariantCulture));
    }

    public Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct) => urls.FetchAsync(item, target, ct);

    private static string NameOf(ManifestRow row) => string.IsNullOrWhiteSpace(row.Title) ? row.Url.Length > 0 ? row.Url : $"Row {row.RowNumber}" : row.Title;

    private static Dictionary<string, string> Metadata(ManifestRow row) => row.Metadata.ToDictionary(m => m.Key.Replace('\0', '\uFFFD'), m => m.Value.Replace('\0', '\uFFFD'));

    private async Task<Stream> OpenAsync(WorkInput input, ManifestEntry entry, CancellationToken ct) =>
        entry.Path is { } path ? await directories.OpenAsync(input.TenantId, input.ConnectionId, path, options.MaxFileSizeBytes, ct) : File.OpenRead(await PathOfAsync(input.TenantId, entry.Upload, ct));

    private async Task<string> PathOfAsync(string tenantId, string upload, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT public_id FROM ingestion.upload WHERE public_id = $1 AND tenant_id = $2 AND completed_at IS NOT NULL");
        command.Parameters.Add(new() { Value = upload });
        command.Parameters.Add(new() { Value = tenantId });
        if (await command.ExecuteScalarAsync(ct) is not string id) throw new IngestionException(ErrorCodes.MissingFile, "The uploaded manifest is not there.");
        var path = files.PathOf(id);
        return File.Exists(path) ? path : throw new IngestionException(ErrorCodes.MissingFile, "The uploaded manifest is not on disk any more.");
    }
}
