using System.Runtime.CompilerServices;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Sources;

/// <summary>Files inside a zip archive on the server; a document's key is its path in the archive.</summary>
public sealed class ZipConnector(SourceConnections connections, ServerFiles files, ZipContents contents, IOptionsMonitor<SourceOptions> options) : ISourceConnector, IConnectionTest
{
    public string SourceType => SourceTypes.LocalZip;

    public async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, [EnumeratorCancellation] CancellationToken ct)
    {
        var spec = SourceSpec.Parse(input.Spec);
        var chosen = spec.OptionsOf(SourceKinds.Require(SourceType));
        await using var file = await FileAsync(input.TenantId, input.ConnectionId, ct);
        foreach (var page in await contents.ListAsync(file, "", chosen.Number("nested"), Glob.Filter(chosen.Lines("include"), chosen.Lines("exclude")), spec.Metadata, ct)) yield return page;
    }

    public async Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct)
    {
        await using var file = await FileAsync(item.TenantId, item.ConnectionId, ct);
        return await contents.FetchAsync(file, item.SourceKey, item.Row, target, ct);
    }

    public async Task TestAsync(OpenConnection connection, CancellationToken ct)
    {
        await using var file = OpenArchive(connection);
        contents.Test(file);
    }

    private async Task<FileStream> FileAsync(string tenantId, string? key, CancellationToken ct) => key is null
        ? throw new IngestionException(ErrorCodes.SourceNotConfigured, "No connection of the kind Zip archive is configured.")
        : OpenArchive(await connections.OpenAsync(tenantId, key, ct));

    private FileStream OpenArchive(OpenConnection connection) =>
        files.OpenRegular(files.Resolve(connection.Settings.Text("path")), options.CurrentValue.ZipMaxSizeMb * 1024L * 1024L).File;
}
