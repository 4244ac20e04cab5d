using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Postgres;
using Ingestion.Tests.Support;
using Npgsql;
using Xunit;

namespace Ingestion.Tests;

/// <summary>Runs the batch that <see cref="BadInputTests"/> looks at, once.</summary>
public sealed class BadInput : IAsyncLifetime
{
    private const long FiveGigabytes = 5L << 30;
    private readonly TemporaryDirectory _data = new TemporaryDirectory("bad-input-").Traversable();
    private readonly Dictionary<string, string> _manifests = [];
    private readonly Dictionary<string, long> _inputs = [];

    public string Data => _data.Path;
    public FixtureHost Site { get; private set; } = null!;
    public JsonElement Batch { get; private set; }
    public IReadOnlyList<JsonElement> Items { get; private set; } = [];
    public IReadOnlyList<JsonElement> Failures { get; private set; } = [];
    public IReadOnlyList<JsonElement> Inputs { get; private set; } = [];
    public string HugeUpload { get; private set; } = "";
    public long MemoryBefore { get; private set; }
    public long MemoryPeak { get; private set; }

    /// <summary>The input that a manifest became.</summary>
    public long InputOf(string manifest) => _inputs[_manifests[manifest]];

    public async Task InitializeAsync()
    {
        Site = await FixtureHost.StartAsync();
        Site.Status("/404", 404).Status("/410", 410).Status("/403", 403).Status("/500", 500).Garbage("/garbage").Endless("/endless").Huge("/huge", 65L << 20)
            .Text("/nothing", "").Redirect("/private", "http://127.0.0.1:1/").Redirect("/circle", "/circle");
        await using var app = await AppProcess.StartAsync(Data,
            ("Ingestion:Acquire:AllowedTargets:0", Site.Target), ("Ingestion:Acquire:RequestsPerMinutePerHost", "0"),
            ("Ingestion:Acquire:RetryIntervals:0", "00:00:00.1"), ("Ingestion:Acquire:RetryIntervals:1", "00:00:00.1"), ("Ingestion:Acquire:RetryIntervals:2", "00:00:00.1"),
            ("Ingestion:Pipeline:MaxFileSizeMb", "64"));
        // A first document warms up what every document needs, so that the measure is of the bad ones.
        await app.EndedAsync(await app.SubmitAsync(new { name = "warm", uploads = new[] { await app.UploadAsync("warm.txt", "A warm word."u8.ToArray()) }, urls = new[] { Site.Url("/warm") } }), PipelineHost.Patience);
        HugeUpload = await AnnounceHugeAsync(app.Client.BaseAddress!);
        MemoryBefore = app.WorkingSet;

        using var stop = new CancellationTokenSource();
        var watching = WatchAsync(app, stop.Token);
        var id = await SubmitAsync(app);
        Batch = await app.EndedAsync(id, TimeSpan.FromMinutes(3));
        await stop.CancelAsync();
        await watching;

        Items = [.. (await app.GetAsync($"/api/v1/batches/{id}/items?take=1000")).GetProperty("items").EnumerateArray()];
        var failures = await app.GetAsync($"/api/v1/batches/{id}/failures?take=1000");
        Failures = [.. failures.GetProperty("failures").EnumerateArray()];
        Inputs = [.. failures.GetProperty("inputs").EnumerateArray()];
        await ReadInputsAsync();
    }

    public async Task DisposeAsync()
    {
        await Site.DisposeAsync();
        _data.Dispose();
    }

    private async Task<string> SubmitAsync(AppProcess app)
    {
        var noise = new byte[4096];
        new Random(7).NextBytes(noise);
        (string Name, byte[] Content)[] files =
        [
            ("empty.txt", []), ("zero.docx", []), ("operators.pdf", PdfBombs.Operators(1_000_000)), ("pages.pdf", PdfBombs.Pages(6)), ("locked.pdf", EncryptedPdf.Page("Nobody reads this.", "secret")),
            ("owner-locked.pdf", EncryptedPdf.Page("Everybody reads this.", "")), ("noise.bin", noise), ("good.txt", "A good word among bad ones."u8.ToArray()),
            ("../../etc/cron.d/climbing.txt", "It climbs nowhere."u8.ToArray()), ("two\nlines.txt", "Its name has two lines."u8.ToArray()),
        ];
        (string Name, string Column, byte[] Content)[] manifests =
        [
            ("no-column.csv", "Hyperlink", Encoding.UTF8.GetBytes("Krithi,Raga\nfirst,kalyANi\n")),
            ("million.csv", "Hyperlink", Million()),
            ("binary.csv", "Hyperlink", noise),
            ("bom.csv", "Hyperlink", [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes($"Hyperlink,Krithi\n{Site.Url("/bom")},first\n")]),
            ("semicolon.csv", "Hyperlink", Encoding.UTF8.GetBytes($"Krithi;Hyperlink\nfirst, with a comma;{Site.Url("/semicolon")}\n")),
        ];
        var uploads = new List<string>();
        foreach (var (name, content) in files) uploads.Add(await app.UploadAsync(name, content));
        foreach (var (name, _, content) in manifests) _manifests[name] = await app.UploadAsync(name, content, "manifest");
        string[] paths = ["/404", "/410", "/403", "/500", "/garbage", "/endless", "/huge", "/nothing", "/private", "/circle", "/good"];
        return await app.SubmitAsync(new
        {
            name = "bad input", uploads, options = new { timeout_seconds = 12, max_retries = 1, max_workers = 8 },
            urls = paths.Select(p => Site.Url(p).AbsoluteUri).Concat(["http://127.0.0.1:5432/", "http://[::ffff:127.0.0.1]:5432/", "file:///etc/passwd", "not an address"]),
            manifests = manifests.Select(m => new { upload = _manifests[m.Name], url_column = m.Column }),
        });
    }

    private static byte[] Million()
    {
        var table = new StringBuilder("Krithi,Hyperlink\n", 40 << 20);
        for (var i = 0; i < 1_000_000; i++) table.Append('k').Append(i).Append(",http://127.0.0.1:9/million.csv/").Append(i).Append('\n');
        return Encoding.ASCII.GetBytes(table.ToString());
    }

    private async Task ReadInputsAsync()
    {
        await using var source = NpgsqlDataSource.Create(PostgresRoles.For(EmbeddedPostgres.TryFind(Data)!, PostgresRoles.Owner));
        await using var command = source.CreateCommand("SELECT id, spec ->> 'upload' FROM ingestion.import_input WHERE source_type = 'manifest'");
        await using var r = await command.ExecuteReaderAsync();
        while (await r.ReadAsync()) _inputs[r.GetString(1)] = r.GetInt64(0);
    }

    // Announces the body and sends none of it: an answer means that nobody waited for it.
    private static async Task<string> AnnounceHugeAsync(Uri address)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"""
            POST /api/v1/uploads/file?path=huge.pdf HTTP/1.1
            Host: {address.Authority}
            X-Api-Key: {AppProcess.Key}
            Content-Type: application/octet-stream
            Content-Length: {FiveGigabytes}
            Connection: close


            """.ReplaceLineEndings("\r\n")));
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync(deadline.Token);
    }

    private async Task WatchAsync(AppProcess app, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!stop.IsCancellationRequested)
        {
            MemoryPeak = Math.Max(MemoryPeak, app.WorkingSet);
            try
            {
                await timer.WaitForNextTickAsync(stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
