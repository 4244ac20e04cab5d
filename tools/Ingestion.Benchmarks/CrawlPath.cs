using System.Diagnostics;
using System.Text.Json;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Ingestion.Benchmarks;

/// <summary>
/// Crawls by the real listing of a site: pages fetched, kept and read for links, the frontier, versions, items and their first tasks in PostgreSQL.
/// No other stage is served, so that nothing else works meanwhile.
/// </summary>
internal static class CrawlPath
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    /// <summary>The pages' folder as a site, after it was crawled once for another tenant.</summary>
    public static async Task<Result> SiteAsync(Inputs inputs)
    {
        await using var rig = await StartAsync(inputs);
        var (start, pages) = (new Uri(inputs.PageServer, "index.html"), PageServer.Names(inputs.Pages).Count);
        await CrawlAsync(rig, Rig.WarmUp, start, 2 * pages);

        await rig.CostliestStatementsAsync();
        var seconds = await CrawlAsync(rig, Rig.Measured, start, 2 * pages);
        var notes = await rig.CostliestStatementsAsync();
        var found = await rig.CountAsync("SELECT count(*) FROM ingestion.import_item i JOIN ingestion.import_task_run t ON t.item_id = i.id WHERE i.tenant_id = 'default' AND i.source_version_id IS NOT NULL");
        if (found != pages) throw new InvalidOperationException($"{found} of {pages} pages became documents: the figures would not count the others.");
        return new(seconds, new() { ["documents"] = found }, notes);
    }

    /// <summary>
    /// Lists that name so many addresses, crawled until all of them are found and none is visited: what grows is the frontier. The figure is the peak of
    /// memory.
    /// </summary>
    public static async Task<Result> FrontierAsync(Inputs inputs, int addresses)
    {
        var lists = addresses / LinkServer.LinksOfAList;
        await using var rig = await StartAsync(inputs);
        var seconds = await CrawlAsync(rig, Rig.Measured, new Uri(inputs.PageServer, $"{lists}/"), lists + 1);
        var waiting = await rig.CountAsync("SELECT count(*) FROM ingestion.crawl_page WHERE state = 'waiting'");
        // The sitemap that nobody promised has been asked for, or waits behind the limit of pages.
        if (waiting < addresses) throw new InvalidOperationException($"{waiting} of {addresses} addresses are in the frontier.");
        return new(seconds, new() { ["addresses"] = addresses }, []);
    }

    private static Task<Rig> StartAsync(Inputs inputs) => Rig.StartPipelineAsync(
        data => new ConfigurationBuilder().AddConfiguration(Settings.Configuration(inputs, remote: false, data))
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Ingestion:Pipeline:Stages:0"] = "Discover",
                ["Ingestion:Sources:CrawlConcurrency"] = $"{Settings.Requests}",
            }).Build(),
        _ => { });

    // Seconds from the submission until the site is listed.
    private static async Task<double> CrawlAsync(Rig rig, Actor actor, Uri start, int mostPages)
    {
        var begun = Stopwatch.GetTimestamp();
        var batch = await rig.Services.GetRequiredService<Submission>().SubmitAsync(actor, new SubmissionRequest("benchmark")
        {
            Sources = [new("site", Options: JsonSerializer.SerializeToElement(new { max_pages = mostPages }), Source: start.AbsoluteUri)],
        }, null, CancellationToken.None);
        while (true)
        {
            await using var command = rig.Database.Worker.CreateCommand("SELECT state, error_message FROM ingestion.import_input WHERE batch_id = $1");
            command.Parameters.Add(new() { Value = batch.BatchId });
            await using var r = await command.ExecuteReaderAsync();
            if (await r.ReadAsync() && r.GetString(0) is not "open" and var state)
                return state == "done" ? Stopwatch.GetElapsedTime(begun).TotalSeconds : throw new InvalidOperationException($"The crawl ended as {state}: {(r.IsDBNull(1) ? "" : r.GetString(1))}");
            await Task.Delay(Look);
        }
    }
}
