using System.Security.Cryptography;
using System.Text;
using Xunit;

namespace Ingestion.Tests.Support;

/// <summary>
/// Three real manifests of 1,240 rows, with their hosts rewritten to a site on loopback: a page for each address, some of which fail,
/// recover, are slow or too large. Which ones follows from the address, so every run is the same.
/// </summary>
internal sealed class KrithiSite : IAsyncDisposable
{
    public const int Rows = 1240;
    public const int Addresses = 1239;

    /// <summary>Settings under which the site may be fetched as fast as it answers, and workers are missed soon.</summary>
    public (string Key, string Value)[] Settings =>
    [
        ("Ingestion:Acquire:AllowedTargets:0", _site.Target), ("Ingestion:Acquire:RequestsPerMinutePerHost", "0"), ("Ingestion:Acquire:ConnectionsPerHost", "8"),
        ("Ingestion:Acquire:RetryIntervals:0", "00:00:00.2"), ("Ingestion:Acquire:RetryIntervals:1", "00:00:00.2"), ("Ingestion:Acquire:RetryIntervals:2", "00:00:00.2"),
        ("Ingestion:Pipeline:MaxFileSizeMb", "4"), ("Ingestion:Pipeline:Lease", "00:00:03"), ("Ingestion:Pipeline:Heartbeat", "00:00:01"), ("Ingestion:Pipeline:Sweep", "00:00:01"),
        ("Logging:LogLevel:Default", "Warning"),
    ];

    private readonly FixtureHost _site;

    private KrithiSite(FixtureHost site) => _site = site;

    /// <summary>Rows of all manifests.</summary>
    public int Count { get; private init; } = Rows;

    public FixtureHost Host => _site;

    /// <summary>The manifests by name, as CSV with the addresses of this site.</summary>
    public IReadOnlyDictionary<string, byte[]> Manifests { get; private set; } = new Dictionary<string, byte[]>();

    /// <summary>Addresses of the site and how each behaves.</summary>
    public IReadOnlyDictionary<string, PageKind> Kinds { get; private set; } = new Dictionary<string, PageKind>();

    public static async Task<KrithiSite> StartAsync()
    {
        var krithi = new KrithiSite(await FixtureHost.StartAsync());
        var manifests = new Dictionary<string, byte[]>();
        var kinds = new Dictionary<string, PageKind>();
        foreach (var file in Files())
        {
            var table = new StringBuilder();
            foreach (var line in await File.ReadAllLinesAsync(file))
            {
                var at = line.IndexOf("http://", StringComparison.Ordinal);
                table.Append(at < 0 ? line : krithi.Rewrite(line[..at], line[(at + 7)..], kinds)).Append("\r\n");
            }
            manifests[Path.GetFileName(file)] = Encoding.UTF8.GetBytes(table.ToString());
        }
        (krithi.Manifests, krithi.Kinds) = (manifests, kinds);
        return krithi;
    }

    /// <summary>The same with a manifest of made-up addresses: runs anywhere.</summary>
    public static async Task<KrithiSite> MadeUpAsync(int rows, int seed)
    {
        var krithi = new KrithiSite(await FixtureHost.StartAsync()) { Count = rows };
        var kinds = new Dictionary<string, PageKind>();
        var table = new StringBuilder("Krithi,Hyperlink\r\n");
        for (var row = 1; row <= rows; row++) table.Append(krithi.Rewrite($"song {row},", $"made-up/{seed}/{row}", kinds)).Append("\r\n");
        krithi.Manifests = new Dictionary<string, byte[]> { ["made-up.csv"] = Encoding.UTF8.GetBytes(table.ToString()) };
        krithi.Kinds = kinds;
        return krithi;
    }

    /// <summary>Uploads the manifests and submits them as one batch; its id.</summary>
    /// <param name="workers">Tasks of the batch at work at once, over all processes.</param>
    public async Task<string> SubmitAsync(AppProcess app, int workers = 16)
    {
        var uploads = new List<string>();
        foreach (var (name, content) in Manifests) uploads.Add(await app.UploadAsync(name, content, "manifest"));
        return await app.SubmitAsync(new
        {
            name = "Krithis", options = new { max_workers = workers, max_retries = 3 },
            manifests = uploads.Select(u => new { upload = u, url_column = "Hyperlink", title_column = "Krithi" }),
        });
    }

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    internal static IReadOnlyList<string> Files() => Folder() is { } folder ? [.. Directory.GetFiles(folder, "*-Krithi-For-Import.csv").Order()] : [];

    private string Rewrite(string before, string address, Dictionary<string, PageKind> kinds)
    {
        var path = "/" + address.Trim();
        var url = _site.Url(path).AbsoluteUri;
        if (kinds.TryAdd(url, KindOf(path))) Script(path, kinds[url]);
        return before + url;
    }

    private void Script(string path, PageKind kind) => _ = kind switch
    {
        PageKind.Missing => _site.Status(path, 404),
        PageKind.Down => _site.Status(path, 500),
        PageKind.Recovers => _site.FailsFirst(path, 2),
        PageKind.Slow => _site.Slow(path, TimeSpan.FromSeconds(1.5)),
        PageKind.Huge => _site.Huge(path, 5 << 20),
        _ => _site,
    };

    private static PageKind KindOf(string path) => (BitConverter.ToUInt16(SHA256.HashData(Encoding.UTF8.GetBytes(path))) % 100) switch
    {
        0 or 1 => PageKind.Missing,
        2 => PageKind.Down,
        3 or 4 => PageKind.Recovers,
        5 => PageKind.Slow,
        6 => PageKind.Huge,
        _ => PageKind.Healthy,
    };

    private static string? Folder()
    {
        for (var at = new DirectoryInfo(Repository.Root).Parent; at is not null; at = at.Parent)
            if (Path.Combine(at.FullName, "shared", "krithi", "head") is var folder && Directory.Exists(folder)) return folder;
        return null;
    }
}

/// <summary>How a page of <see cref="KrithiSite"/> behaves.</summary>
internal enum PageKind { Healthy, Missing, Down, Recovers, Slow, Huge }

/// <summary>Runs where the manifests lie beside the repository.</summary>
internal sealed class KrithiFactAttribute : FactAttribute
{
    public KrithiFactAttribute()
    {
        if (KrithiSite.Files().Count == 0) Skip = "The manifests are not beside the repository.";
    }
}
