using System.Diagnostics;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Ingestion.Benchmarks;

/// <summary>
/// The queue alone: stages that do nothing, under the real claim, runner, settling, events and completion. A document is four tasks.
/// </summary>
internal static class QueuePath
{
    /// <summary>Tasks of one stage at work at once in the process; a batch may use all of them.</summary>
    public const int Slots = 250;

    /// <summary>As many tasks of a batch as there are slots: the limit is the process, not the batch's wish.</summary>
    public static readonly ProcessingOptions Options = new() { MaxWorkers = 4 * Slots };

    /// <param name="prepare">What is in the database before; null for nothing.</param>
    /// <param name="hints">False: nothing tells other processes of changes, and nobody looks.</param>
    /// <param name="watchers">Readers that follow the batches' counts while they are worked on.</param>
    public static async Task<Result> RunAsync(Inputs inputs, int batches, Func<Rig, Task>? prepare = null, bool hints = true, int watchers = 0)
    {
        await using var rig = await StartAsync(hints);
        if (prepare is not null) await prepare(rig);
        await EndAllAsync(rig, Rig.WarmUp, await SubmitAsync(rig, Rig.WarmUp, 200, batches));

        var enqueued = Stopwatch.GetTimestamp();
        var ids = await SubmitAsync(rig, Rig.Measured, inputs.Items, batches);
        var enqueueing = Stopwatch.GetElapsedTime(enqueued).TotalSeconds;
        await rig.CostliestStatementsAsync();
        using var watch = new Watch(rig, ids, watchers);
        var begun = Stopwatch.GetTimestamp();
        await EndAllAsync(rig, Rig.Measured, ids);
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;

        var statements = await rig.CostliestStatementsAsync();
        await RequireAsync(rig, inputs.Items);
        return new(seconds, new() { ["tasks"] = 4.0 * inputs.Items, ["documents"] = inputs.Items }, [$"enqueued {inputs.Items / enqueueing:N0} documents/s", .. watch.Notes(), .. statements]);
    }

    /// <summary>The submission of one batch alone: items, first tasks, events.</summary>
    public static async Task<Result> EnqueueAsync(Inputs inputs)
    {
        await using var rig = await StartAsync();
        await SubmitAsync(rig, Rig.WarmUp, 1000, 4);
        var begun = Stopwatch.GetTimestamp();
        await SubmitAsync(rig, Rig.Measured, inputs.Items, 1);
        return new(Stopwatch.GetElapsedTime(begun).TotalSeconds, new() { ["documents"] = inputs.Items }, []);
    }

    /// <summary>Fails unless every task of every document was done, and at its first attempt.</summary>
    public static async Task RequireAsync(Rig rig, int items)
    {
        var tasks = await rig.CountAsync("SELECT count(*) FROM ingestion.import_task_run WHERE tenant_id = 'default' AND state = 'succeeded' AND attempt = 1 AND worker <> 'finished' AND item_id IS NOT NULL");
        if (tasks != 4L * items) throw new InvalidOperationException($"{tasks} of {4L * items} tasks succeeded at once.");
    }

    public static Task<Rig> StartAsync(bool hints = true) => Rig.StartPipelineAsync(
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
            foreach (var stage in services.Where(s => s.ServiceType == typeof(IStage) && s.ImplementationType != typeof(DiscoverStage)).ToList()) services.Remove(stage);
            foreach (var stage in (Stage[])[Stage.Acquire, Stage.Parse, Stage.Embed, Stage.Index]) services.AddSingleton<IStage>(new NoStage(stage));
            if (hints) return;
            var senders = services.Where(s => s.ServiceType == typeof(IHostedService) && s.ImplementationFactory?.Method.ReturnType is { } type && (type == typeof(Hints) || type == typeof(ImportEventListener))).ToList();
            foreach (var sender in senders) services.Remove(sender);
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
                Options = Options,
                AutoStart = false,
            }, null, CancellationToken.None));
        }
        return submitted;
    }

    public static async Task EndAllAsync(Rig rig, Actor actor, IReadOnlyList<Submitted> submitted)
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
