using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>Asks sites for their robots.txt, once for each crawl and host.</summary>
internal sealed class RobotsFiles(SafeHttp http)
{
    private const int MaxRedirects = 5;
    private static readonly FetchLimits Limits = new(RobotsRules.MaxLength, TimeSpan.FromSeconds(30));
    private readonly ConcurrentDictionary<(long Crawl, string Origin), RobotsRules> _known = new();

    /// <summary>
    /// The rules for an address. A site without the file allows all; one that cannot say at the moment allows nothing: then the failure is
    /// thrown, and the crawl waits.
    /// </summary>
    public async Task<RobotsRules> OfAsync(long crawl, Uri url, string product, CancellationToken ct)
    {
        var key = (crawl, url.GetLeftPart(UriPartial.Authority));
        return _known.TryGetValue(key, out var known) ? known : _known[key] = await AskAsync(new Uri(url, "/robots.txt"), product, ct);
    }

    /// <summary>Forgets a crawl that is over.</summary>
    public void Forget(long crawl)
    {
        foreach (var key in _known.Keys.Where(k => k.Crawl == crawl)) _known.TryRemove(key, out _);
    }

    private async Task<RobotsRules> AskAsync(Uri url, string product, CancellationToken ct)
    {
        var at = url;
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, at);
            var answer = await http.SendAsync(request, Limits, ct);
            switch (answer.StatusCode)
            {
                case >= 200 and < 300:
                    return RobotsRules.Parse(Encoding.UTF8.GetString(answer.Body), product);
                case >= 300 and < 400 when answer.Headers.Location is { } target && Uri.TryCreate(at, target, out var next) && next.Scheme is "http" or "https" && next.Authority == url.Authority:
                    at = next;
                    continue;
                case (int)HttpStatusCode.TooManyRequests or >= 500:
                    throw new IngestionException(answer.StatusCode == (int)HttpStatusCode.TooManyRequests ? ErrorCodes.Throttled : ErrorCodes.HttpServerError,
                        $"{url.IdnHost} answers with status {answer.StatusCode} for its robots.txt, so nothing of it may be asked for.") { RetryAfter = answer.RetryAfter };
                default:
                    return RobotsRules.AllowAll;
            }
        }
        return RobotsRules.AllowAll;
    }
}
