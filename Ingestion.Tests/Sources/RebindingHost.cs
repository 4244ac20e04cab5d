using System.Net;
using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using static Ingestion.Tests.Sources.SourceMaking;

namespace Ingestion.Tests.Sources;

/// <summary>What came of names that do not stay with what they said.</summary>
/// <param name="Ends">Addresses and how each ended: a state, or the code of the failure.</param>
/// <param name="Crawled">Pages of a crawl, likewise.</param>
/// <param name="Heard">Connections that inner addresses got.</param>
/// <param name="Unguarded">Who answered an ordinary client that asked twice: <c>outer</c> or <c>inner</c>.</param>
/// <param name="LookUps">How often each name was looked up.</param>
internal sealed record RebindingReport(
    IReadOnlyDictionary<string, string> Ends, IReadOnlyDictionary<string, string> Crawled, int Heard, IReadOnlyList<string> Unguarded, IReadOnlyDictionary<string, int> LookUps);

/// <summary>
/// The pipeline in a network of its own, with a server at a public address, servers at inner addresses that must hear nothing, and names
/// that lead now to the one and now to the others. It is this assembly, entered by its start-up hook; it says what came of it in one line.
/// </summary>
internal static class RebindingHost
{
    public const string DatabaseVariable = "INGESTION_TEST_REBINDING_DATABASE";
    private const string Secret = "secret";

    private static readonly IPAddress Outer = IPAddress.Parse("93.184.216.34");
    private static readonly IPAddress Metadata = IPAddress.Parse("169.254.169.254");
    private static readonly IPAddress Private = IPAddress.Parse("10.0.0.5");
    private static readonly IPAddress[] Inner = [IPAddress.Loopback, IPAddress.IPv6Loopback, Metadata, Private];

    /// <summary>What must lead to the network itself besides its loopback.</summary>
    public static string[] Addresses { get; } = [Outer.ToString(), Metadata.ToString(), Private.ToString()];

    public static async Task RunAsync(string database)
    {
        await using var names = Names();
        await using var outer = await OuterAsync(names);
        var inner = Inner.Select(a => new RawServer($"HTTP/1.1 200 OK\r\nContent-Length: {Secret.Length}\r\nConnection: close\r\n\r\n{Secret}", new(a, 80))).ToList();
        await using var host = await PipelineHost.StartOnAsync(database);

        var crawl = await host.SubmitAsync(Taking("site", options: new { sitemaps = false }, source: "http://site.example.com/site/"));
        var first = await host.SubmitAsync(Urls("steady.example.com/a", "turning.example.com/first", "inward.example.com/", "late.example.com/", "early.example.com/", "six.example.com/", "mapped.example.com/", "steady.example.com/away", "hopping.example.com/hop"));
        await host.EndedAsync(first);
        await host.EndedAsync(crawl);
        // The name said something else when it was looked up for the first.
        var second = await host.SubmitAsync(Urls("turning.example.com/second"));
        await host.EndedAsync(second);

        var crawled = await host.QueryAsync<string>("SELECT url || ' ' || coalesce(code, state) FROM ingestion.crawl_page ORDER BY url");
        var ends = (await host.EndsAsync(first)).Concat(await host.EndsAsync(second)).ToDictionary();
        var heard = inner.Sum(i => i.Connections);
        var report = new RebindingReport(ends, crawled.Select(c => c.Split(' ')).ToDictionary(c => c[0], c => c[1]), heard, await UnguardedAsync(), names.LookUps);
        foreach (var server in inner) await server.DisposeAsync();
        await Console.Out.WriteLineAsync(JsonSerializer.Serialize(report));
    }

    private static NameServer Names() => new NameServer()
        .Says("steady.example.com", _ => [Outer])
        .Says("site.example.com", _ => [Outer])
        .Says("turning.example.com", n => n == 0 ? [Outer] : [IPAddress.Loopback])
        .Says("hopping.example.com", n => n == 0 ? [Outer] : [Private])
        .Says("unguarded.example.com", n => n == 0 ? [Outer] : [IPAddress.Loopback])
        .Says("inward.example.com", n => n == 0 ? [IPAddress.Loopback] : [Outer])
        .Says("inner.example.com", _ => [Metadata])
        .Says("late.example.com", _ => [Outer, Metadata])
        .Says("early.example.com", _ => [Private, Outer])
        .Says("six.example.com", _ => [Outer, IPAddress.IPv6Loopback])
        .Says("mapped.example.com", _ => [Outer, IPAddress.Loopback.MapToIPv6()]);

    private static async Task<FixtureHost> OuterAsync(NameServer names)
    {
        var outer = await FixtureHost.StartAsync(new(Outer, 80));
        outer.Otherwise = context =>
        {
            // Each request is one of a new connection, and looks its name up anew.
            context.Response.Headers.Connection = "close";
            switch (context.Request.Path.Value)
            {
                case "/robots.txt":
                    context.Response.StatusCode = 404;
                    return Task.CompletedTask;
                case "/away":
                    context.Response.Redirect("http://inner.example.com/");
                    return Task.CompletedTask;
                case "/hop":
                    context.Response.Redirect("/hopped");
                    return Task.CompletedTask;
                case "/site/":
                    names.Says("site.example.com", _ => [Metadata]);
                    context.Response.ContentType = "text/html";
                    return context.Response.WriteAsync("<a href=a.html>a</a><a href=b.html>b</a><p>A page that links to its own site.</p>");
                default:
                    context.Response.ContentType = "text/html";
                    return context.Response.WriteAsync(FixtureHost.PageOf($"{context.Request.Host}{context.Request.Path}"));
            }
        };
        return outer;
    }

    // What a client does that believes a name twice: it shows that these names would lead inside, and that who listens there would hear of it.
    private static async Task<IReadOnlyList<string>> UnguardedAsync()
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var answers = new List<string>();
        for (var i = 0; i < 2; i++) answers.Add(await client.GetStringAsync("http://unguarded.example.com/") == Secret ? "inner" : "outer");
        return answers;
    }

    private static SubmissionRequest Urls(params string[] places) => new("names") { Urls = [.. places.Select(p => new UrlEntry("http://" + p))], Options = new() { MaxRetries = 0 } };
}
