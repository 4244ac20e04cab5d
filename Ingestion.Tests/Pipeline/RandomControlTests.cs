using System.Globalization;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Verify;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Pipeline;

/// <summary>
/// Random commands against a batch while the real pipeline works on it. After each: the log tells of legal ways only and folds to what is
/// stored (I3), figures follow from the items (I8), every open item has its reason, and no percentage has fallen but by a retry.
/// </summary>
public sealed class RandomControlTests(ITestOutputHelper output)
{
    private const int Items = 40;
    private const int Commands = 25;

    [Theory]
    [InlineData(20261122)]
    [InlineData(0)]
    public async Task Whatever_people_ask_the_log_stays_legal_and_the_figures_true(int seed)
    {
        if (seed == 0) seed = Random.Shared.Next(1, int.MaxValue);
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var pipeline = await PipelineHost.StartAsync();
        var batch = await SubmitAsync(pipeline);
        using var hints = pipeline.Get<BatchHub>().Subscribe(batch.BatchId);
        var (shown, told) = (0.0, new List<string>());
        for (var i = 0; i < Commands; i++)
        {
            var (name, result) = await CommandAsync(pipeline, batch, random);
            told.Add($"{i + 1}. {name}: {(result.Done ? "" : "refused: ")}{result.Message}");
            var again = result.Done && name.StartsWith("retry", StringComparison.Ordinal);
            shown = await CheckAsync(pipeline, batch, again ? 0 : shown, told);
            // The next command meets the batch a little further on, wherever it stands then; one that stands still tells nothing.
            await hints.WaitAsync(TimeSpan.FromMilliseconds(100), default);
        }

        await pipeline.Get<BatchControl>().StartAsync(PipelineHost.Actor, batch.BatchId, default);
        await pipeline.Get<BatchControl>().ResumeAsync(PipelineHost.Actor, batch.BatchId, default);
        var ended = await pipeline.EndedAsync(batch);
        ended.Counts.Terminal.ShouldBe(Items);
        await CheckAsync(pipeline, batch, 100, told);
        output.WriteLine(string.Join('\n', told));
    }

    private static async Task<Submitted> SubmitAsync(PipelineHost pipeline)
    {
        var uploads = new List<string>();
        // Every tenth is empty and fails; the others are short, so that a batch passes through all its stages between two commands.
        for (var i = 0; i < Items; i++) uploads.Add(await pipeline.UploadAsync(string.Create(CultureInfo.InvariantCulture, $"{i}.txt"), i % 10 == 0 ? "" : $"The text of document {i}, which no other has."));
        return await pipeline.SubmitAsync(new("At random") { Uploads = uploads, AutoStart = false });
    }

    private static async Task<(string Name, ControlResult Result)> CommandAsync(PipelineHost pipeline, Submitted batch, Random random)
    {
        var (control, retry, items, actor, id) = (pipeline.Get<BatchControl>(), pipeline.Get<BatchRetry>(), pipeline.Get<ItemControl>(), PipelineHost.Actor, batch.BatchId);
        var some = (await pipeline.ItemsAsync(batch)).Select(i => i.Id).Where(_ => random.Next(4) == 0).ToList();
        var options = new ProcessingOptions { ChunkSize = 500 + 100 * random.Next(5), MaxWorkers = 1 + random.Next(6) };
        return random.Next(12) switch
        {
            0 or 1 => ("start", await control.StartAsync(actor, id, default)),
            2 or 3 => ("pause", await control.PauseAsync(actor, id, default)),
            4 or 5 => ("resume", await control.ResumeAsync(actor, id, default)),
            6 => ("cancel", await control.CancelAsync(actor, id, default)),
            7 => ("retry failed", await retry.RetryAsync(actor, id, RetryScope.Failed, null, null, default)),
            8 => ("retry all", await retry.RetryAsync(actor, id, RetryScope.All, null, null, default)),
            9 => ($"retry {some.Count} with other options", await retry.RetryAsync(actor, id, RetryScope.All, some, options, default)),
            10 => ($"cancel {some.Count}", await items.CancelAsync(actor, id, some, default)),
            _ => ("try now", await items.TryNowAsync(actor, id, null, default)),
        };
    }

    // Returns what the batch shows now.
    private static async Task<double> CheckAsync(PipelineHost pipeline, Submitted batch, double shown, List<string> told)
    {
        var story = string.Join('\n', told);
        var report = await pipeline.Get<Verification>().RunAsync(new(Quick: true), default);
        report.Checks.Where(c => c.Invariant is "I3" or "I8").SelectMany(c => c.First).ShouldBeEmpty(story);
        await Reasons.AssertAllAsync(pipeline.Worker);
        // Counted now: what pages show may be half a second old.
        await using var connection = await pipeline.Worker.OpenConnectionAsync();
        var counts = await BatchCounts.ReadAsync(connection, batch.BatchId, default);
        counts.OverallPercent.ShouldBeInRange(Math.Min(shown, 100), 100, story);
        return counts.OverallPercent;
    }
}
