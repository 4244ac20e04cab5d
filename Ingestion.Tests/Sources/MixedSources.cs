using System.Globalization;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using static Ingestion.Tests.Sources.ZipSamples;

namespace Ingestion.Tests.Sources;

/// <summary>Every kind of place at once, each with a few documents of its own words: web pages, a directory tree, and the fakes.</summary>
internal sealed class MixedSources : IAsyncDisposable
{
    private readonly TemporaryDirectory _files = new("mixed-");
    private FixtureHost _bucket = null!;
    private FixtureHost _drive = null!;
    private FixtureHost _wiki = null!;
    private FixtureHost _tube = null!;
    private FakeDrive _documents = null!;

    public FixtureHost Web { get; private set; } = null!;

    /// <summary>What the program needs to be allowed.</summary>
    public (string Key, string Value)[] Settings =>
    [
        ("Ingestion:Sources:Roots:0", _files.Path),
        .. new[] { Web, _bucket, _drive, _wiki, _tube }.Select((h, n) => (string.Create(CultureInfo.InvariantCulture, $"Ingestion:Acquire:AllowedTargets:{n}"), h.Target)),
    ];

    /// <summary>A connection of each kind that has them, and one to a wiki whose token nobody gave.</summary>
    public IReadOnlyList<(string Kind, string Key, object Settings)> Connections =>
    [
        ("feed", "news", new { address = Web.Url("/feed.xml").AbsoluteUri }),
        ("local_directory", "papers", new { path = Path.Combine(_files.Path, "papers") }),
        ("local_directory", "shelf", new { path = Path.Combine(_files.Path, "shelf") }),
        ("local_directory", "tables", new { path = Path.Combine(_files.Path, "tables") }),
        ("local_zip", "local_zip_conn_1", new { path = Path.Combine(_files.Path, "archive.zip") }),
        ("s3", "bucket", FakeBucket.Settings(_bucket)),
        ("google_drive", "gdrive_conn_1", _documents.Settings),
        ("confluence", "wiki", FakeWiki.Settings(_wiki)),
        ("confluence", "intranet", new { address = $"http://{_wiki.Target}/wiki" }),
        ("youtube", "talks", FakeYouTube.Settings(_tube, "named-00001")),
    ];

    public static async Task<MixedSources> StartAsync()
    {
        var sources = new MixedSources { Web = await FixtureHost.StartAsync() };
        sources.Pages();
        sources.Files();
        (sources._bucket, var bucket) = await FakeBucket.StartAsync();
        bucket.Objects["one.txt"] = "The bucket holds a puffin."u8.ToArray();
        bucket.Objects["deep/two.md"] = "# Two\n\nThe bucket holds a guillemot."u8.ToArray();
        (sources._drive, sources._documents) = await FakeDrive.StartAsync();
        sources.Drive();
        (sources._wiki, var wiki) = await FakeWiki.StartAsync();
        wiki.Put("101", "Herons", "<p>The wiki tells of a heron.</p>");
        wiki.Put("102", "Egrets", "<p>The wiki tells of an egret.</p>");
        (sources._tube, var tube) = await FakeYouTube.StartAsync();
        tube.Listed.Add("silent-0001");
        tube.Videos["named-00001"] = new("A talk", new FakeCaptions("en", "This talk is about a bittern."));
        tube.Videos["silent-0001"] = new("Silence");
        return sources;
    }

    /// <summary>A table of addresses of <see cref="Web"/>.</summary>
    public string Table(params string[] pages) => "Title,Link\n" + string.Concat(pages.Select(p => $"Row {p},{Web.Url(p)}\n"));

    public async ValueTask DisposeAsync()
    {
        foreach (var host in new[] { Web, _bucket, _drive, _wiki, _tube }) await host.DisposeAsync();
        _files.Dispose();
    }

    private void Pages() => Web
        .Status("/missing.html", 404).Status("/missing-row.html", 404)
        .Page("/site/", "a.html", "b.html").Page("/site/a.html", "/site/").Page("/site/b.html")
        .Text("/robots.txt", "User-agent: *\nDisallow:\n", "text/plain").Status("/sitemap.xml", 404)
        .On("/feed.xml", context => context.Response.WriteAsync($"<rss version=\"2.0\"><channel>{string.Concat(new[] { "/news/1.html", "/news/2.html" }.Select(p => $"<item><link>{Web.Url(p)}</link></item>"))}</channel></rss>"));

    private void Files()
    {
        Write("papers/one.txt", "The papers mention a kestrel."u8.ToArray());
        Write("papers/sub/two.md", "# Two\n\nThe papers mention a falcon."u8.ToArray());
        Write("shelf/catalogue.txt", "The shelf keeps a curlew."u8.ToArray());
        Write("tables/list.csv", System.Text.Encoding.UTF8.GetBytes(Table("/row3.html", "/missing-row.html")));
        Write("archive.zip", Zip(("one.txt", "The archive hides a plover."), ("dir/two.md", "# Two\n\nThe archive hides a dunlin.")));
    }

    private void Drive()
    {
        const string apps = "application/vnd.google-apps.";
        _documents.Files["root"] = new("Root", apps + "folder", "", []);
        _documents.Files["paper"] = new("paper.txt", "text/plain", "root", "The drive shares a lapwing."u8.ToArray());
        _documents.Files["form"] = new("Form", apps + "form", "root", []);
        _documents.Files["bin"] = new("bin.txt", "text/plain", "root", "Thrown away."u8.ToArray()) { Trashed = true };
    }

    private void Write(string path, byte[] content)
    {
        var place = Path.Combine(_files.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(place)!);
        File.WriteAllBytes(place, content);
    }
}
