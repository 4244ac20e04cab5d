using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>What an RSS or Atom feed links to. An entry that says when it changed is fetched again only once it has.</summary>
public sealed class FeedConnector(SafeHttp http, SourceConnections connections, WorkFolder work) : ISourceConnector, IConnectionTest
{
    private const long MaxBytes = 32L << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public string SourceType => SourceTypes.Feed;

    public async IAsyncEnumerable<ListedPage> ListAsync(WorkInput input, [EnumeratorCancellation] CancellationToken ct)
    {
        var spec = SourceSpec.Parse(input.Spec);
        var chosen = spec.OptionsOf(SourceKinds.Require(SourceType));
        var connection = input.ConnectionId is { } key ? await connections.OpenAsync(input.TenantId, key, ct) : null;
        var address = spec.Address ?? connection!.Settings.Text("address");
        var signIn = connection is null ? SiteSignIn.None : await SiteSignIn.OfAsync(connection, ct);
        var wanted = Glob.Filter([.. chosen.Lines("include")], [.. chosen.Lines("exclude")]);
        var entries = await ReadAsync(http.Rules.Parse(address), signIn, ct);
        var most = chosen.Number("max_entries");
        var items = new List<ListedItem>();
        foreach (var entry in entries.Take(most))
        {
            // One that leads nowhere is kept as it is written, and fails in words when it is fetched.
            var url = Uri.TryCreate(entry.Base, entry.Link, out var resolved) && resolved.Scheme is "http" or "https" ? CrawlUrl.Normalize(resolved).AbsoluteUri : entry.Link;
            if (!wanted(resolved?.PathAndQuery.TrimStart('/') ?? entry.Link)) continue;
            items.Add(new(url, 0, entry.Title ?? url, spec.Metadata) { Fingerprint = entry.Changed is { } changed ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(changed)))[..32] : null });
        }
        // Feeds hold their newest entries: what is not there any more is not gone.
        yield return new(items, "") { Gap = "A feed names its newest entries alone." };
    }

    public async Task<FetchedDocument> FetchAsync(WorkItem item, FetchTarget target, CancellationToken ct)
    {
        var url = http.Rules.Parse(item.SourceKey);
        var signIn = item.ConnectionId is { } key ? await SiteSignIn.OfAsync(await connections.OpenAsync(item.TenantId, key, ct), ct) : SiteSignIn.None;
        var result = await http.FetchAsync(new FetchRequest(url, target.Path, new(target.MaxBytes, target.Timeout))
        {
            Headers = signIn.For(url), Progress = target.Report, Conditions = target.ETag is null && target.LastModified is null ? null : new(target.ETag, target.LastModified),
        }, ct);
        if (result is { NotModified: false, Length: 0 }) throw new IngestionException(ErrorCodes.Empty, "The address answers with an empty document (zero bytes).");
        return new(result.Length, result.Sha256, result.MediaType, result.Charset, result.FinalUrl, result.ETag, result.LastModified, result.NotModified);
    }

    public async Task TestAsync(OpenConnection connection, CancellationToken ct) =>
        await ReadAsync(http.Rules.Parse(connection.Settings.Text("address")), await SiteSignIn.OfAsync(connection, ct), ct);

    private async Task<IReadOnlyList<FeedEntry>> ReadAsync(Uri address, SiteSignIn signIn, CancellationToken ct)
    {
        var scratch = work.NewFile();
        try
        {
            var result = await http.FetchAsync(new FetchRequest(address, scratch, new(MaxBytes, Patience)) { Headers = signIn.For(address) }, ct);
            await using var file = File.OpenRead(scratch);
            return FeedReader.Read(file, result.FinalUrl);
        }
        finally
        {
            File.Delete(scratch);
        }
    }
}
