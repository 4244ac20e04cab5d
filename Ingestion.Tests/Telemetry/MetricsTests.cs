using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Telemetry;
using Ingestion.Tests.Access;
using Ingestion.Tests.Admin;
using Ingestion.Tests.Sources;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Telemetry;

/// <summary>What the program tells of itself to whoever measures.</summary>
public sealed partial class MetricsTests : IAsyncLifetime
{
    private readonly AdminApp _app = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _app.DisposeAsync();

    [Fact]
    public async Task Owner_reads_them_by_a_key_that_only_reads_and_nobody_else_does()
    {
        using var warm = _app.CreateClient();
        var people = new People(_app.Services);
        var owner = await people.MakeAsync(Role.Administrator, owner: true, scope: KeyScope.Read);
        using var answer = await _app.Caller(owner.Key).GetAsync("/metrics");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.ToString().ShouldStartWith("text/plain; version=0.0.4");
        (await _app.Caller((await people.MakeAsync(Role.Administrator)).Key).GetAsync("/metrics")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await _app.Caller().GetAsync("/metrics")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Progress_queue_ends_and_deliveries_are_there_in_the_format_of_prometheus()
    {
        await using var web = _app.WithWebHostBuilder(b => b.UseSetting("Ingestion:Role", "Web"));
        using var client = web.CreateClient();
        client.DefaultRequestHeaders.Add("X-Api-Key", AdminApp.Key);
        var make = new Make(web.Services.GetRequiredService<Database>().Worker);
        var batch = await make.Batch();
        await make.Item(batch, ItemState.Done, Stage.Index);
        await make.Task(batch, stage: Stage.Parse);
        await make.Task(batch, stage: Stage.Acquire);
        await make.Task(batch, stage: Stage.Acquire);
        await make.Batch(BatchState.Failed);
        var id = await PublicIdAsync(web.Services, batch);
        var text = await client.GetStringAsync("/metrics");
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries)) Line().IsMatch(line).ShouldBeTrue(line);
        text.ShouldContain($"bulk_job_download_progress{{job_id=\"{id}\"}} 50\n");
        text.ShouldContain($"bulk_job_ingestion_progress{{job_id=\"{id}\"}} 25\n");
        text.ShouldContain("ingestion_jobs{status=\"running\"} 1\n");
        text.ShouldContain("ingestion_jobs{status=\"failed\"} 1\n");
        text.ShouldContain("ingestion_queue_tasks{stage=\"acquire\",state=\"ready\"} 2\n");
        text.ShouldContain("# TYPE ingestion_queue_tasks gauge\n");
        text.ShouldContain("ingestion_open_sockets 0\n");
        text.ShouldContain("ingestion_batch_watchers ");
        text.Split('\n').Where(l => l.StartsWith('#')).ShouldBeUnique();
    }

    [Fact]
    public async Task Labels_are_bounded_and_name_nothing_of_anybody()
    {
        await using var web = _app.WithWebHostBuilder(b => b.UseSetting("Ingestion:Role", "Web"));
        using var client = web.CreateClient();
        client.DefaultRequestHeaders.Add("X-Api-Key", AdminApp.Key);
        var worker = web.Services.GetRequiredService<Database>().Worker;
        var make = new Make(worker);
        for (var i = 0; i < InstallationGauges.MostBatches + 20; i++) await make.Batch();
        await worker.QueryAsync<object>("UPDATE ingestion.import_batch SET name = 'A name of a batch', created_by = 'somebody'");
        var text = await client.GetStringAsync("/metrics");
        text.Split('\n').Count(l => l.StartsWith("bulk_job_download_progress{", StringComparison.Ordinal)).ShouldBe(InstallationGauges.MostBatches);
        foreach (var name in new[] { "A name of a batch", "somebody", "default", Environment.MachineName }) text.ShouldNotContain($"\"{name}\"");
        text.Split('\n').Length.ShouldBeLessThan(1000);
    }

    [Fact]
    public async Task Attempts_are_counted_by_stage_source_and_outcome_and_traced_along_the_stages()
    {
        var spans = new List<System.Diagnostics.Activity>();
        using var listener = new System.Diagnostics.ActivityListener
        {
            ShouldListenTo = s => s.Name == PipelineTelemetry.Name, Sample = (ref System.Diagnostics.ActivityCreationOptions<System.Diagnostics.ActivityContext> _) => System.Diagnostics.ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = a =>
            {
                lock (spans) spans.Add(a);
            },
        };
        System.Diagnostics.ActivitySource.AddActivityListener(listener);
        await using var host = await PipelineHost.StartAsync();
        var ended = await host.RunAsync(new("Measured") { Uploads = [await host.UploadAsync("a.md", "# A\n\nwords"), await host.UploadAsync("b.bin", [0, 1, 2, 3])] });
        List<System.Diagnostics.Activity> own = [];
        List<string> traces = [];
        // The batch has ended a moment before the last attempt says that it has.
        await Eventually.IsAsync(() =>
        {
            lock (spans) own = [.. spans.Where(s => Equals(s.GetTagItem("ingestion.batch"), ended.Id))];
            traces = [.. own.GroupBy(s => s.TraceId).Select(g => string.Join(' ', g.OrderBy(s => s.StartTimeUtc).Select(s => s.DisplayName))).Order()];
            return Task.FromResult(traces.Contains("stage acquire stage parse stage embed stage index") && own.Any(s => s.Status == System.Diagnostics.ActivityStatusCode.Error));
        }, "each stage of the document is in its trace");
        own.ShouldContain(s => s.Status == System.Diagnostics.ActivityStatusCode.Error && (string?)s.GetTagItem("ingestion.outcome") == "failed");
        own.ShouldAllBe(s => (string?)s.GetTagItem("ingestion.source_type") == "upload");
        Console.WriteLine($"{own.Count} spans in {traces.Count} traces: {string.Join("; ", traces)}");
    }

    [Fact]
    public async Task Collector_gets_measurements_and_traces_and_one_that_is_away_harms_nothing()
    {
        var received = new System.Collections.Concurrent.ConcurrentDictionary<string, string>();
        await using var collector = await StubServer.StartAsync(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body);
            received.AddOrUpdate(context.Request.Path, _ => Encoding.Latin1.GetString(body.ToArray()), (_, before) => before + Encoding.Latin1.GetString(body.ToArray()));
        });
        await using var app = _app.WithWebHostBuilder(b =>
        {
            b.UseSetting("Ingestion:Telemetry:OtlpEndpoint", collector.Url().AbsoluteUri);
            b.UseSetting("Ingestion:Role", "Web");
            b.UseSetting("Ingestion:Telemetry:Interval", "00:00:00.200");
        });
        using var client = app.CreateClient();
        client.DefaultRequestHeaders.Add("X-Api-Key", AdminApp.Key);
        await new Make(app.Services.GetRequiredService<Database>().Worker).Batch(BatchState.Paused);
        await client.GetAsync("/api/v1/batches");
        await Eventually.IsAsync(() => Task.FromResult(received.GetValueOrDefault("/v1/metrics", "").Contains("bulk_job_download_progress", StringComparison.Ordinal)), "measurements have arrived", 90);
        received["/v1/metrics"].ShouldContain("ingestion_jobs");
        await using var alone = _app.WithWebHostBuilder(b =>
        {
            b.UseSetting("Ingestion:Telemetry:OtlpEndpoint", "http://127.0.0.1:1");
            b.UseSetting("Ingestion:Telemetry:Interval", "00:00:00.200");
        });
        (await alone.CreateClient().GetAsync("/health/live")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    private static async Task<string> PublicIdAsync(IServiceProvider services, long batch) =>
        (await services.GetRequiredService<Database>().Worker.QueryAsync<string>("SELECT public_id FROM ingestion.import_batch WHERE id = $1", batch)).Single();

    // A comment, or a name with labels and a number.
    [GeneratedRegex("""^(# (HELP|TYPE) [a-zA-Z_][a-zA-Z0-9_]* .*|[a-zA-Z_][a-zA-Z0-9_]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*",?)*\})? -?[0-9.eE+-]+)$""", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Line();
}
