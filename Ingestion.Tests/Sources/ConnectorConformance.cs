using System.Security.Cryptography;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

/// <summary>A place with documents, as the tests of its connector need it.</summary>
internal abstract class ConnectorCase : IAsyncDisposable
{
    public PipelineHost Host { get; protected set; } = null!;

    public abstract string Kind { get; }

    /// <summary>Asked before each answer of a server: a status other than 0 is answered instead. Not for places of this machine.</summary>
    public Func<HttpContext, Task<int>> Trouble { get; set; } = _ => Task.FromResult(0);

    /// <summary>The key of document n, from 0.</summary>
    public abstract string KeyOf(int n);

    /// <summary>Makes or changes document n.</summary>
    public abstract void Put(int n, byte[] content);

    public abstract void Remove(int n);

    public virtual async ValueTask DisposeAsync() => await Host.DisposeAsync();
}

/// <summary>What every connector owes, whatever place it takes from. A new one derives its tests from this.</summary>
public abstract class ConnectorConformance
{
    protected const int Documents = 7;
    private static readonly CancellationToken Ct = CancellationToken.None;

    /// <summary>A place that lists a few documents at a time, with a connection <c>c</c> to it.</summary>
    private protected abstract Task<ConnectorCase> StartAsync();

    /// <summary>True where a server on the way can be slow, refuse or ask to be left alone.</summary>
    protected virtual bool IsRemote => true;

    /// <summary>True where a listing comes in several pages.</summary>
    protected virtual bool HasPages => true;

    [Fact]
    public async Task Listing_names_every_document_once()
    {
        await using var place = await FilledAsync();
        var pages = await ListAsync(place, null);
        pages.SelectMany(p => p.Items).Select(i => i.SourceKey).Order(StringComparer.Ordinal).ShouldBe(Enumerable.Range(0, Documents).Select(place.KeyOf).Order(StringComparer.Ordinal));
        if (HasPages) pages.Count(p => p.Items.Count > 0).ShouldBeGreaterThan(1);
        pages.ShouldAllBe(p => p.Gap == null);
        pages.SelectMany(p => p.Items).ShouldAllBe(i => i.Name.Length > 0 && i.Fingerprint != null);
    }

    [Fact]
    public async Task Listing_that_was_interrupted_goes_on_and_misses_nothing()
    {
        await using var place = await FilledAsync();
        var all = await ListAsync(place, null);
        foreach (var kept in Enumerable.Range(1, all.Count - 1))
        {
            var rest = await ListAsync(place, all[kept - 1].Cursor);
            all.Take(kept).Concat(rest).SelectMany(p => p.Items).Select(i => i.SourceKey).Distinct().Count().ShouldBe(Documents);
        }
    }

    [Fact]
    public async Task Fingerprint_stays_while_the_document_does_and_changes_with_it()
    {
        await using var place = await FilledAsync();
        var before = await FingerprintsAsync(place);
        (await FingerprintsAsync(place)).ShouldBe(before, ignoreOrder: true);
        place.Put(3, "Something else altogether, and longer."u8.ToArray());
        var after = await FingerprintsAsync(place);
        after.Where(f => before[f.Key] != f.Value).Select(f => f.Key).ShouldBe([place.KeyOf(3)]);
    }

    [Fact]
    public async Task Document_comes_whole_with_its_hash_and_progress()
    {
        await using var place = await FilledAsync();
        place.Put(1, Large(300_000));
        var reports = new List<long>();
        var (fetched, bytes) = await FetchAsync(place, 1, report: reports.Add);
        fetched.Length.ShouldBe(bytes.Length);
        fetched.Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(bytes)));
        bytes.Length.ShouldBeGreaterThanOrEqualTo(300_000);
        reports.ShouldNotBeEmpty();
        reports.ShouldBeInOrder();
    }

    [Fact]
    public async Task Document_changed_since_it_was_listed_comes_as_it_is_now()
    {
        await using var place = await FilledAsync();
        await ListAsync(place, null);
        place.Put(2, "The newer text of it."u8.ToArray());
        var (_, bytes) = await FetchAsync(place, 2);
        System.Text.Encoding.UTF8.GetString(bytes).ShouldContain("The newer text of it.");
    }

    [Fact]
    public async Task Document_gone_since_it_was_listed_fails_for_good()
    {
        await using var place = await FilledAsync();
        await ListAsync(place, null);
        place.Remove(4);
        (await FailAsync(place, 4)).Code.ShouldBeOneOf(ErrorCodes.NotFound, ErrorCodes.Gone, ErrorCodes.MissingFile);
    }

    [Fact]
    public async Task Document_of_more_than_is_allowed_is_not_taken()
    {
        await using var place = await FilledAsync();
        place.Put(5, Large(200_000));
        (await FailAsync(place, 5, maxBytes: 50_000)).Code.ShouldBe(ErrorCodes.TooLarge);
    }

    [Fact]
    public async Task Fetch_that_is_cancelled_ends_at_once()
    {
        await using var place = await FilledAsync();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => FetchAsync(place, 0, ct: cancelled.Token));
    }

    [Fact]
    public async Task Refusals_and_silence_have_their_own_codes()
    {
        if (!IsRemote) return;
        await using var place = await FilledAsync();
        foreach (var (status, code) in new[] { (429, ErrorCodes.Throttled), (401, ErrorCodes.AccessDenied), (403, ErrorCodes.AccessDenied), (500, ErrorCodes.HttpServerError) })
        {
            place.Trouble = _ => Task.FromResult(status);
            (await Should.ThrowAsync<IngestionException>(() => ListAsync(place, null))).Code.ShouldBe(code, $"listing, {status}");
            (await FailAsync(place, 0)).Code.ShouldBe(code, $"fetching, {status}");
        }
        place.Trouble = async context =>
        {
            await Task.Delay(TimeSpan.FromMinutes(5), context.RequestAborted);
            return 0;
        };
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Should.ThrowAsync<OperationCanceledException>(() => FetchAsync(place, 0, ct: soon.Token));
    }

    private async Task<ConnectorCase> FilledAsync()
    {
        var place = await StartAsync();
        for (var n = 0; n < Documents; n++) place.Put(n, System.Text.Encoding.UTF8.GetBytes($"The text of document {n}."));
        return place;
    }

    private static ISourceConnector Connector(ConnectorCase place) => place.Host.Get<IEnumerable<ISourceConnector>>().Single(c => c.SourceType == place.Kind);

    private static async Task<List<ListedPage>> ListAsync(ConnectorCase place, string? cursor)
    {
        var pages = new List<ListedPage>();
        await foreach (var page in Connector(place).ListAsync(new(1, 1, "default", place.Kind, "c", new SourceSpec().ToJson(), cursor, 1), Ct)) pages.Add(page);
        return pages;
    }

    private static async Task<Dictionary<string, string?>> FingerprintsAsync(ConnectorCase place) => (await ListAsync(place, null)).SelectMany(p => p.Items).ToDictionary(i => i.SourceKey, i => i.Fingerprint);

    private static async Task<(FetchedDocument Fetched, byte[] Bytes)> FetchAsync(ConnectorCase place, int n, long maxBytes = 10 << 20, Action<long>? report = null, CancellationToken ct = default)
    {
        var scratch = place.Host.Get<WorkFolder>().NewFile();
        try
        {
            var item = new WorkItem(1, 1, "default", 1, null, place.Kind, "c", place.KeyOf(n), 0, "x", null, "{}", null, null, null);
            var fetched = await Connector(place).FetchAsync(item, new(scratch, maxBytes, TimeSpan.FromSeconds(30), null, null, (bytes, _, _) => report?.Invoke(bytes)), ct);
            return (fetched, await File.ReadAllBytesAsync(fetched.LocalPath ?? scratch, Ct));
        }
        finally
        {
            File.Delete(scratch);
        }
    }

    private static Task<IngestionException> FailAsync(ConnectorCase place, int n, long maxBytes = 10 << 20) => Should.ThrowAsync<IngestionException>(() => FetchAsync(place, n, maxBytes));

    private static byte[] Large(int bytes) => System.Text.Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, bytes / 8 + 1).Select(i => i.ToString("0000000 ", System.Globalization.CultureInfo.InvariantCulture))));
}
