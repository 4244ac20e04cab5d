using System.Net.Http.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F2: the program kills itself at each named place between two effects, is started again, and nothing is half there.</summary>
[Collection(RunningProgram.Name)]
public sealed class NamedPointTests(ITestOutputHelper output)
{
    private const int Rows = 8;
    private static readonly TimeSpan UntilDeath = TimeSpan.FromMinutes(2);

    // The point, and how often one batch of so many rows reaches it at least.
    private static readonly (string Point, int Times)[] Points =
    [
        ($"{FaultPoints.AfterClaim}@discover", 1), ($"{FaultPoints.AfterClaim}@acquire", 2), ($"{FaultPoints.AfterClaim}@parse", 2), ($"{FaultPoints.AfterClaim}@index", 2),
        (FaultPoints.BeforeFlush, 3 * Rows), (FaultPoints.AfterFile, 3 * Rows), (FaultPoints.WhileParsing, Rows), (FaultPoints.BeforeVectors, Rows), (FaultPoints.AfterVectors, Rows),
        (FaultPoints.AfterCommit, 4 * Rows), (FaultPoints.Completing, 1),
    ];

    [Fact]
    public Task Killed_at_each_point_once() => RunAsync("F2 named points (short)", seed: 20261122, rounds: 1);

    [Fact]
    [Trait("Category", "Long")]
    public Task Killed_at_each_point_twenty_times() => RunAsync("F2 named points", Random.Shared.Next(), rounds: ChaosRun.Scaled(20));

    private async Task RunAsync(string name, int seed, int rounds)
    {
        using var report = new ChaosReport(output, name, seed);
        var random = new Random(seed);
        await using var run = ChaosRun.Embedded(await KrithiSite.MadeUpAsync(1, seed));
        (await MigrationsAsync(run, rounds, random)).ShouldBe(rounds);
        for (var round = 0; round < rounds; round++) await RoundAsync(run, random);
        await using var app = await run.StartAsync();
        report.Figure($"{Points.Length} points and the migration, {rounds} times each, {rounds * Points.Length} batches whole");
        await run.CheckAsync(report, endings: false);
        report.Pass();
    }

    // Each life finishes the batch of the one before, is armed, and dies of its own: no document meets two deaths.
    private static async Task RoundAsync(ChaosRun run, Random random)
    {
        var sites = new List<KrithiSite>();
        try
        {
            foreach (var _ in Points) sites.Add(await KrithiSite.MadeUpAsync(Rows, random.Next()));
            (string, string)[] targets = [.. sites.Select((s, i) => ($"Ingestion:Acquire:AllowedTargets:{i + 1}", s.Host.Target))];
            (object Request, int Key, string Fault)? left = null;
            foreach (var (point, site) in Points.Zip(sites))
            {
                var fault = $"{point.Point}:{random.Next(1, Math.Max(1, point.Times / 2) + 1)}";
                var armed = Path.Combine(run.Data, $"armed-{random.Next()}");
                await using var doomed = run.Begin(fault, armed, targets);
                await doomed.ReadyAsync();
                if (left is { } before) await WholeAsync(run, doomed, before);
                left = await BeginAsync(doomed, site, fault, random.Next(), armed);
                (await doomed.ExitAsync(UntilDeath)).ShouldNotBe(0, fault);
            }
            await using var app = await run.StartAsync(targets);
            await WholeAsync(run, app, left!.Value);
        }
        finally
        {
            foreach (var site in sites) await site.DisposeAsync();
        }
    }

    private static async Task WholeAsync(ChaosRun run, AppProcess app, (object Request, int Key, string Fault) begun)
    {
        var id = await SubmitAsync(app, begun.Request, begun.Key);
        var batch = await app.EndedAsync(id, ChaosRun.Patience);
        (batch.GetProperty("state").GetString(), batch.GetProperty("counts").GetProperty("total").GetInt32()).ShouldBe(("completed", Rows), begun.Fault);
        // Failures are those that the site's pages make, and the kill charges none.
        (await run.ScalarAsync<long>("""
            SELECT count(*) FROM ingestion.import_task_run t JOIN ingestion.import_batch b ON b.id = t.batch_id
            WHERE b.public_id = $1 AND t.failures > 0 AND t.error_code NOT IN ('not_found', 'http_server_error', 'too_large')
            """, id)).ShouldBe(0, begun.Fault);
    }

    // It may be dead before it has answered.
    private static async Task<(object Request, int Key, string Fault)> BeginAsync(AppProcess app, KrithiSite site, string fault, int key, string armed)
    {
        var manifest = await app.UploadAsync("list.csv", site.Manifests.Values.Single(), "manifest");
        object request = new { name = fault, manifests = new[] { new { upload = manifest, url_column = "Hyperlink" } } };
        await File.WriteAllTextAsync(armed, fault);
        await SubmitAsync(app, request, key).ContinueWith(_ => { }, TaskScheduler.Default);
        return (request, key, fault);
    }

    // Under a key: whoever asks again finds what was begun.
    private static async Task<string> SubmitAsync(AppProcess app, object request, int key)
    {
        using var message = new HttpRequestMessage(HttpMethod.Post, "/api/v1/batches") { Content = JsonContent.Create(request), Headers = { { "Idempotency-Key", $"key {key}" } } };
        using var answer = await app.Client.SendAsync(message);
        return (await AppProcess.JsonAsync(answer)).GetProperty("id").GetString()!;
    }

    // Each round goes a little further into the migration of one database, until it is through.
    private static async Task<int> MigrationsAsync(ChaosRun run, int rounds, Random random)
    {
        var killed = 0;
        for (var round = 0; round < rounds; round++)
        {
            using var data = new TemporaryDirectory("chaos-migration-").Traversable();
            var launch = new Launch(data.Path) { Settings = run.Site.Settings };
            await using (var doomed = AppProcess.Begin(launch with { Environment = [(FaultPoints.Variable, $"{FaultPoints.Migrating}:{random.Next(2, 6)}")] }))
                if (await doomed.ExitAsync(UntilDeath) != 0) killed++;
            await using var app = await AppProcess.StartAsync(data.Path, run.Site.Settings);
            (await AppProcess.VerifyAsync(data.Path)).ShouldContain("Clean: 0 violations.");
        }
        return killed;
    }
}
