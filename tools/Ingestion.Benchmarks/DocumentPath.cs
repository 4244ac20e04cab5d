using System.Diagnostics;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.DependencyInjection;

namespace Ingestion.Benchmarks;

/// <summary>The whole way of a document, as the product runs it: one batch of addresses, from submission until the batch is completed.</summary>
internal static class DocumentPath
{
    public static async Task<Result> RunAsync(Inputs inputs, bool remote)
    {
        await using var rig = await Rig.StartPipelineAsync(data => Settings.Configuration(inputs, remote, data), _ => { });
        var pages = PageServer.Names(inputs.Pages);
        await IngestAsync(rig, Rig.WarmUp, inputs, pages.Take(Settings.WarmUp));

        var before = rig.Services.GetRequiredService<EmbeddingBatcher>().Counters;
        await rig.CostliestStatementsAsync();
        var begun = Stopwatch.GetTimestamp();
        await IngestAsync(rig, Rig.Measured, inputs, pages);
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;

        var lost = await rig.CountAsync("SELECT count(*) FROM ingestion.import_item WHERE tenant_id = 'default' AND state NOT IN ('done', 'skipped')");
        if (lost > 0) throw new InvalidOperationException($"{lost} of {pages.Count} pages were not ingested: the figures would not count them.");
        var notes = await rig.CostliestStatementsAsync();
        var same = await rig.CountAsync("SELECT count(*) FROM ingestion.import_item WHERE tenant_id = 'default' AND state = 'skipped'");
        if (same > 0) notes.Add($"{same} of {pages.Count} pages skipped: the same content as another");
        if (remote) notes.Add($"{rig.Services.GetRequiredService<EmbeddingBatcher>().Counters.Calls - before.Calls} embedding requests");
        return new(seconds, new()
        {
            ["documents"] = pages.Count,
            ["chunks"] = await rig.CountAsync("SELECT count(*) FROM ingestion.chunk WHERE tenant_id = 'default'"),
        }, notes);
    }

    private static async Task IngestAsync(Rig rig, Actor actor, Inputs inputs, IEnumerable<string> pages)
    {
        var request = new SubmissionRequest("benchmark")
        {
            Urls = [.. pages.Select(p => new UrlEntry(new Uri(inputs.PageServer, p).AbsoluteUri))],
            Options = new() { MaxWorkers = Settings.Workers, SkipExisting = true },
        };
        var batch = await rig.Services.GetRequiredService<Submission>().SubmitAsync(actor, request, null, CancellationToken.None);
        var state = await rig.EndAsync(batch.BatchId);
        if (state != "completed") throw new InvalidOperationException($"The batch ended as {state}.");
    }
}
