using System.Text;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>Visits addresses of a crawl: asks the host when its turn has come, and finds what it leads to. <see cref="CrawlPages"/> keeps what came.</summary>
public sealed class CrawlVisits(
    NpgsqlDataSource worker, SafeHttp http, HostBudgets hosts, IArtifactStore store, WorkFolder work, PipelineOptions pipeline, IOptionsMonitor<SourceOptions> options)
{
    private const int MaxTries = 3;
    private const int MaxLinkBytes = 8 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly HashSet<string> Documents = new(StringComparer.Ordinal)
    {
        "application/pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "text/plain", "text/markdown", "text/x-markdown", "text/csv", "text/tab-separated-values",
    };

    private readonly SemaphoreSlim _places = new(options.CurrentValue.CrawlConcurrency);

    /// <summary>
    /// Visits one address, in its turn. Throws where the first page of all cannot be read: then there is no crawl.
    /// </summary>
    internal async Task<CrawlVisit> VisitAsync(Crawl crawl, CrawlRow row, CancellationToken ct)
    {
        await _places.WaitAsync(ct);
        var scratch = work.NewFile();
        CrawlVisit? visit = null;
        try
        {
            if (!(await crawl.Rules(row.Url, ct)).Allows(row.Url.PathAndQuery))
                return row is { Depth: 0, Kind: CrawlAddress.Page } ? throw new IngestionException(ErrorCodes.AccessDenied, $"The robots.txt of {row.Url.IdnHost} asks that this address be left alone.")
                    : new(new(row.Id, "stopped", "robots", "The site's robots.txt asks that it be left alone."), row.Url);
            if (await hosts.TakeAsync(HostBudgets.KeyOf(row.Url), crawl.PerMinute, ct, crawl.Delay) is { } later) return new(new(row.Id, "waiting", After: later), row.Url);
            return visit = row.Kind == CrawlAddress.Sitemap ? await SitemapAsync(crawl, row, scratch, ct) : await PageAsync(crawl, row, scratch, ct);
        }
        catch (IngestionException e) when (row is not { Depth: 0, Kind: CrawlAddress.Page } && e.Code.WaitReason is null)
        {
            return await FailedAsync(crawl, row, e, ct);
        }
        finally
        {
            if (visit?.Page?.File is null) File.Delete(scratch);
            _places.Release();
        }
    }

    /// <summary>The same addresses, each with the version that is held of it.</summary>
    internal async Task<IReadOnlyList<CrawlRow>> KnownAsync(Crawl crawl, IReadOnlyList<CrawlRow> rows, CancellationToken ct)
    {
        if (rows.Count == 0) return rows;
        var known = await SourceGroups.NewestAsync(worker, crawl.Input, [.. rows.Select(r => r.Url.AbsoluteUri)], ct);
        return [.. rows.Select(r => r with { Known = known.GetValueOrDefault(r.Url.AbsoluteUri) })];
    }

    private async Task<CrawlVisit> FailedAsync(Crawl crawl, CrawlRow row, IngestionException e, CancellationToken ct)
    {
        // A sitemap that nobody promised is simply not there.
        if (row is { Kind: CrawlAddress.Sitemap, FoundOn: null }) return new(new(row.Id, "other", e.Code.Code), row.Url);
        if (e.Code.Class == ErrorClass.Throttled && e.RetryAfter is { } pause) await hosts.PauseAsync(HostBudgets.KeyOf(row.Url), pause, ct);
        if (e.Code.Retries && row.Tries + 1 < MaxTries) return new(new(row.Id, "waiting", e.Code.Code, e.Message, e.RetryAfter ?? TimeSpan.FromSeconds(1 << row.Tries)), row.Url);
        return new(new(row.Id, "failed", e.Code.Code, ItemFailures.OneLine(e.Message)), row.Url);
    }

    private async Task<CrawlVisit> SitemapAsync(Crawl crawl, CrawlRow row, string scratch, CancellationToken ct)
    {
        const int deepest = 4;
        var result = await http.FetchAsync(new FetchRequest(row.Url, scratch, new(SitemapReader.MaxBytes, Patience, MaxRatio: 200)) { StopAtRedirect = true, Headers = crawl.SignIn.For(row.Url) }, ct);
        if (result.RedirectsTo is not null) return new(new(row.Id, "other", Message: "It leads elsewhere."), row.Url);
        await using var file = File.OpenRead(scratch);
        var found = new List<CrawlAddress>();
        foreach (var (text, isSitemap) in SitemapReader.Read(file))
            if (isSitemap && row.Depth < deepest && Uri.TryCreate(text, UriKind.Absolute, out var further) && crawl.Scope.IsHere(further)) found.Add(new(CrawlUrl.Normalize(further), row.Depth + 1, row.Url.AbsoluteUri, CrawlAddress.Sitemap));
            else if (!isSitemap && crawl.Scope.Resolve(row.Url, null, text) is { } page) found.Add(new(page, 1, row.Url.AbsoluteUri));
        return new(new(row.Id, "other"), row.Url) { Found = found };
    }

    private async Task<CrawlVisit> PageAsync(Crawl crawl, CrawlRow row, string scratch, CancellationToken ct)
    {
        var known = row.Known;
        var result = await FetchAsync(crawl, row, scratch, known, ct);
        if (result.RedirectsTo is { } target) return Redirected(crawl, row, target);
        // What we hold cannot be read any more: it is asked for as if we held nothing.
        if (result.NotModified && !await HeldAsync(known!, scratch, ct)) result = await FetchAsync(crawl, row, scratch, null, ct);
        if (result is { NotModified: false, Length: 0 }) throw new IngestionException(ErrorCodes.Empty, $"{row.Url.IdnHost} answers with an empty document (zero bytes).");
        var media = result.NotModified ? known!.MediaType : result.MediaType;
        var isPage = media is null or "text/html" or "application/xhtml+xml";
        if (!isPage && !Documents.Contains(media!)) return new(new(row.Id, "other", Message: $"It is no document: {media}."), row.Url);

        var facts = isPage ? PageLinks.Read(await TextAsync(scratch, result.Charset ?? known?.Charset, ct)) : null;
        var found = facts is { Follow: true } ? crawl.Scope.Links(row.Url, facts.Base, facts.Links).ConvertAll(u => new CrawlAddress(u, row.Depth + 1, row.Url.AbsoluteUri)) : [];
        if (facts is { Index: false } || !crawl.Scope.Takes(row.Url)) return new(new(row.Id, "other", Message: "It is read for its links alone."), row.Url) { Found = found };
        var canonical = facts?.Canonical is { Length: > 0 } declared && crawl.Scope.Resolve(row.Url, facts.Base, declared) is { } own && own != row.Url ? own : null;
        if (canonical is not null) found.Add(new(canonical, row.Depth, row.Url.AbsoluteUri));
        return new(new(row.Id, "document"), row.Url)
        {
            Found = found, Canonical = canonical,
            Page = result.NotModified
                ? new(facts?.Title ?? row.Url.AbsoluteUri, known!.Sha256)
                : new(facts?.Title ?? row.Url.AbsoluteUri, result.Sha256) { Fetched = new(result.Length, result.Sha256, result.MediaType, result.Charset, result.FinalUrl, result.ETag, result.LastModified), File = scratch },
        };
    }

    private Task<FetchResult> FetchAsync(Crawl crawl, CrawlRow row, string scratch, KnownVersion? known, CancellationToken ct) => http.FetchAsync(new FetchRequest(row.Url, scratch, new(pipeline.MaxFileSizeBytes, Patience))
    {
        StopAtRedirect = true, Headers = crawl.SignIn.For(row.Url),
        Conditions = known is { ETag: not null } or { LastModified: not null } ? new(known.ETag, known.LastModified) : null,
    }, ct);

    private static CrawlVisit Redirected(Crawl crawl, CrawlRow row, Uri target)
    {
        var normal = CrawlUrl.Normalize(target);
        if (row.Depth == 0 && !crawl.Scope.IsHere(normal)) throw new IngestionException(ErrorCodes.BadContent, $"The address leads to {target.IdnHost}: begin the crawl there.");
        return new(new(row.Id, "redirect", Message: $"It leads to {normal}."), row.Url)
        {
            Found = crawl.Scope.Holds(normal) ? [new(normal, row.Depth == 0 && normal != row.Url ? 0 : Math.Max(row.Depth, 1), row.FoundOn ?? row.Url.AbsoluteUri)] : [],
        };
    }

    // Puts the bytes that we hold where fetched ones would be. False where they are gone.
    private async Task<bool> HeldAsync(KnownVersion known, string scratch, CancellationToken ct)
    {
        if (await store.OpenAsync(new Uri(known.RawUri), ct) is not { } held) return false;
        await using (held)
        {
            await using var copy = File.Create(scratch);
            await held.CopyToAsync(copy, ct);
        }
        return true;
    }

    private static async Task<string> TextAsync(string path, string? charset, CancellationToken ct)
    {
        await using var file = File.OpenRead(path);
        var bytes = new byte[(int)Math.Min(file.Length, MaxLinkBytes)];
        await file.ReadExactlyAsync(bytes, ct);
        return Charsets.Decode(bytes, charset);
    }
}

/// <summary>What came of visiting one address.</summary>
internal sealed record CrawlVisit(CrawlEnd End, Uri Url)
{
    /// <summary>Null where it is no document.</summary>
    public CrawledPage? Page { get; init; }

    public IReadOnlyList<CrawlAddress> Found { get; init; } = [];

    /// <summary>Another address that the page calls its own; null where it calls none.</summary>
    public Uri? Canonical { get; init; }

    /// <summary>Removes the bytes that came: they are kept by now, or never will be.</summary>
    public void Drop()
    {
        if (Page?.File is { } file) File.Delete(file);
    }
}

/// <summary>A document that a crawl came by.</summary>
/// <param name="Sha256">Of its bytes, in lower-case hexadecimal.</param>
internal sealed record CrawledPage(string Title, string Sha256)
{
    /// <summary>What was fetched; null where the site says that what is held is still right.</summary>
    public FetchedDocument? Fetched { get; init; }

    /// <summary>Where its bytes are for now; null where nothing was fetched.</summary>
    public string? File { get; init; }
}
