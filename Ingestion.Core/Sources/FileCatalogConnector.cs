using System.Runtime.CompilerServices;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>Directories and buckets under one word: each connection is listed and read by the connector of its own kind.</summary>
public sealed class FileCatalogConnector(SourceConnections connections, DirectoryConnector directories, S3Connector buckets) : ISourceConnector
{
    public string SourceType => SourceTypes.FileCatalog;

    public async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, [EnumeratorCancellation] CancellationToken ct)
    {
        var connector = await OfAsync(input.TenantId, input.ConnectionId, ct);
        await foreach (var page in connector.ListAsync(input, ct)) yield return page;
    }

    public async Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct) =>
        await (await OfAsync(item.TenantId, item.ConnectionId, ct)).FetchAsync(item, target, ct);

    private async Task<ISourceConnector> OfAsync(string tenantId, string? key, CancellationToken ct)
    {
        if (key is null) throw new IngestionException(ErrorCodes.SourceNotConfigured, "No directory and no bucket is connected.");
        var connection = await connections.OpenAsync(tenantId, key, ct);
        return new ISourceConnector[] { directories, buckets }.FirstOrDefault(c => c.SourceType == connection.Kind.Word)
            ?? throw new IngestionException(ErrorCodes.SourceNotConfigured, $"A catalogue takes nothing from {connection.Kind.Title}.");
    }
}
