using System.Diagnostics;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Ingestion.Benchmarks;

/// <summary>
/// The queue alone: stages that do nothing, under the real claim, runner, settling, events and completion. A document is four tasks.
/// </summary>
internal static class QueuePath
{
    /// <summary>Tasks of one stage at work at once in the process; a batch may use all of them.</summary>
    public const int Slots = 250;

    /// <summary>As many tasks of a batch as there are slots: the limit is the process, not the batch's wish.</summary>
    private const int Workers = 4 * Slots;

    public static async Task<Result> RunAsync(Inputs inputs, int batches)
    {
        await using var rig = await StartAsync();
        await EndAllAsync(rig, Rig.WarmUp, await SubmitAsync(rig, Rig.WarmUp, 200, batches));

        var enqueued = Stopwatch.GetTimestamp();
        var ids = await SubmitAsync(rig, Rig.Measured, inputs.Items, batches);
        var enqueueing = Stopwatch.GetElapsedTime(enqueued).TotalSeconds;
        await rig.CostliestStatementsAsync();
        var begun = Stopwatch.GetTimestamp();
        await EndAllAsync(rig, Rig.Measured, ids);
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;

        var statements = await rig.CostliestStatementsAsync();
        var tasks = await rig.CountAsync("SELECT count(*) FROM ingestion.import_task_run WHERE tenant_id = 'default' AND state = 'succeeded' AND attempt = 1");
        if (tasks != 4L * inputs.Items) throw new InvalidOperationException($"{tasks} of {4L * inputs.Items} tasks succeeded at once.");
        return new(seconds, new() { ["tasks"] = tasks, ["documents"] = inputs.Items }, [$"enqueued {inputs.Items / enqueueing:N0} documents/s", .. statements]);
    }

    public static Task<Rig> StartAsync() => Rig.StartPipelineAsync(
        data => new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Ingestion:Data"] = data,
            ["Ingestion:Pipeline:MaxConcurrentJobs"] = "8",
            ["Ingestion:Pipeline:MaxConcurrentProcessing"] = $"{Slots}",
            ["Ingestion:Pipeline:Slots:Acquire"] = $"{Slots}",
            ["Ingestion:Pipeline:Slots:Embed"] = $"{Slots}",
            ["Ingestion:Pipeline:Slots:Index"] = $"{Slots}",
        }).Build(),
        services =>
        {
            foreach (var stage in services.Where(s => s.ServiceType == typeof(IStage)).ToList()) services.Remove(stage);
            foreach (var stage in (Stage[])[Stage.Acquire, Stage.Parse, Stage.Embed, Stage.Index]) services.AddSingleton<IStage>(new NoStage(stage));
        });

    /// <summary>Documents shared evenly among batches that wait to be started.</summary>
    public static async Task<IReadOnlyList<Submitted>> SubmitAsync(Rig rig, Actor actor, int items, int batches)
    {
        var submitted = new List<Submitted>();
        foreach (var part in Enumerable.Range(0, items).Chunk((items + batches - 1) / batches))
        {
            submitted.Add(await rig.Services.GetRequiredService<Submission>().SubmitAsync(actor, new SubmissionRequest("benchmark")
            {
                Urls = [.. part.Select(n => new UrlEntry($"http://127.0.0.1/{n}"))],
                Options = new() { MaxWorkers = Workers },
                AutoStart = false,
            }, null, CancellationToken.None));
        }
        return submitted;
    }

    private static async Task EndAllAsync(Rig rig, Actor actor, IReadOnlyList<Submitted> submitted)
    {
        foreach (var batch in submitted) await rig.Services.GetRequiredService<BatchControl>().StartAsync(actor, batch.BatchId, CancellationToken.None);
        await rig.Services.GetRequiredService<BatchDuties>().ActivateAsync(CancellationToken.None);
        foreach (var state in await Task.WhenAll(submitted.Select(b => rig.EndAsync(b.BatchId))))
            if (state != "completed") throw new InvalidOperationException($"A batch ended as {state}.");
    }

    private sealed class NoStage(Stage stage) : IStage
    {
        public Stage Stage => stage;

        public Task<StageOutcome> RunAsync(StageContext context, CancellationToken ct) => Task.FromResult<StageOutcome>(new StageOutcome.Done());
    }
}
