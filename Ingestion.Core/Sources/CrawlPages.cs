using Ingestion.Core.Artifacts;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// Keeps what visits of a crawl brought, many together: their sources, the bytes of what is new, and in the listing's own transaction the versions and
/// what became of each address. The number of round trips is that of the groups and not of the pages.
/// </summary>
public sealed class CrawlPages(NpgsqlDataSource worker, ArtifactWriter artifacts)
{
    /// <summary>Writes the bytes, and gives the items with what is left to be written in their transaction. The visits' own files are gone then.</summary>
    internal async Task<ListedPage> KeepAsync(Crawl crawl, IReadOnlyList<CrawlVisit> done, CancellationToken ct)
    {
        try
        {
            var input = crawl.Input;
            var visits = await JudgeAsync(crawl, done, ct);
            var pages = visits.Where(v => v.Page is not null).Select(v => (v.Url.AbsoluteUri, Page: v.Page!)).ToList();
            var places = await SourceGroups.PlaceAsync(worker, input, [.. pages.Select(p => (p.AbsoluteUri, p.Page.Sha256))], ct);
            var fresh = pages.Zip(places, (page, place) => (page.Page, Place: place)).Where(p => p.Place.NewVersion is not null && p.Page.File is not null).ToList();
            var written = await artifacts.WriteAllAsync(input.TenantId, "raw",
                [.. fresh.Select(f => (ArtifactKeys.Raw(input.TenantId, SourceVersions.Key(f.Place.Source), SourceVersions.Key(f.Place.NewVersion!.Value)), f.Page.File!))], ct);
            var versions = fresh.Zip(written, (f, raw) => new NewVersion(f.Place.NewVersion!.Value, f.Place.Source, f.Page.Fetched!, raw)).ToList();
            var items = pages.Zip(places, (p, place) => new ListedItem(p.AbsoluteUri, 0, p.Page.Title, crawl.Spec.Metadata) { Fingerprint = p.Page.Sha256, Content = new(place.Source, p.Page.Sha256) });
            return new([.. items], "")
            {
                Save = async (connection, token) =>
                {
                    await SourceGroups.InsertAsync(connection, input.TenantId, versions, token);
                    await CrawlFrontier.EndAsync(connection, [.. visits.Select(v => v.End)], token);
                    await CrawlFrontier.AddAsync(connection, input, crawl.Limits, [.. visits.SelectMany(v => v.Found)], token);
                },
            };
        }
        finally
        {
            foreach (var visit in done) visit.Drop();
        }
    }

    // A page that calls another one its own is none, unless that one, in its turn, calls another: two that each call the other the real one are both real.
    private async Task<IReadOnlyList<CrawlVisit>> JudgeAsync(Crawl crawl, IReadOnlyList<CrawlVisit> done, CancellationToken ct)
    {
        var called = done.Where(v => v is { Canonical: not null, Page: not null }).Select(v => v.Canonical!).Distinct().ToList();
        if (called.Count == 0) return done;
        var copies = await CrawlFrontier.CopiesAsync(worker, crawl.Input.InputId, called, ct);
        var here = done.Where(v => v.Canonical is not null).Select(v => v.Url).ToHashSet();
        return [.. done.Select(v => v is { Canonical: { } own, Page: not null } && !here.Contains(own) && !copies.Contains(own.AbsoluteUri)
            ? v with { Page = null, End = v.End with { State = "canonical", Message = $"It calls {own} its own address." } }
            : v)];
    }
}
