using System.Reflection;
using Ingestion.Admin.Components.Parts;
using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Batches;

public sealed class WaitWordsTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly IReadOnlySet<Stage> All = StageOrder.Standard.ToHashSet();
    private static readonly Room Roomy = new(All, 0, 4);

    [Fact]
    public void Every_reason_has_a_sentence_of_its_own()
    {
        var reasons = typeof(WaitReasons).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!).ToList();
        var sentences = reasons.ConvertAll(r => WaitWords.Of(r, Now.AddSeconds(12), Now));
        sentences.ShouldBeUnique();
        sentences.ShouldAllBe(s => s.EndsWith('.') && !s.StartsWith("Waits ("));
    }

    [Fact]
    public void A_reason_holds_until_its_time_and_then_a_worker_is_waited_for()
    {
        var item = Item(TaskState.Ready) with { WaitReason = WaitReasons.Retry, ScheduledAt = Now.AddSeconds(12) };
        WaitWords.Of(item, Running, Roomy, Now).ShouldBe("An attempt failed; the next one starts in 12 s.");
        WaitWords.Of(item, Running, Roomy, Now.AddSeconds(13)).ShouldBe("Waits for a free worker.");
    }

    [Fact]
    public void What_is_due_names_the_limit_that_is_full()
    {
        WaitWords.Of(Item(TaskState.Ready), Running, new(new HashSet<Stage>(), 0, 4), Now).ShouldBe("No worker is running.");
        WaitWords.Of(Item(TaskState.Ready), Running, new(new HashSet<Stage> { Stage.Embed }, 4, 4), Now)!.ShouldStartWith("No running worker serves the stage discover");
        WaitWords.Of(Item(TaskState.Ready), Running, new(All, 4, 4), Now)!.ShouldContain("4 documents at work at once");
    }

    [Fact]
    public void What_runs_or_has_ended_waits_for_nothing()
    {
        WaitWords.Of(Item(TaskState.Running), Running, Roomy, Now).ShouldBeNull();
        WaitWords.Of(Item(TaskState.Failed) with { State = ItemState.Failed }, Running, Roomy, Now).ShouldBeNull();
    }

    [Theory]
    [InlineData(BatchState.Pending, "The batch has not been started.")]
    [InlineData(BatchState.Queued, "The batch waits for its turn among the active ones.")]
    [InlineData(BatchState.Paused, "The batch is paused.")]
    public void A_batch_that_stands_still_is_the_reason_for_its_documents(BatchState state, string sentence) =>
        WaitWords.Of(Item(TaskState.Ready), Batch.In(state), Roomy, Now).ShouldBe(sentence);

    [Fact]
    public void A_person_is_waited_for_whatever_the_batch_does() =>
        WaitWords.Of(Item(TaskState.Blocked), Batch.In(BatchState.Completed), Roomy, Now).ShouldBe("Waits for a person to review it.");

    private static BatchView Running => Batch.In(BatchState.Running);

    private static ItemView Item(TaskState task) => new() { SourceType = "url", SourceKey = "https://a.example/1", Name = "One", Metadata = "{}", TaskState = task, ScheduledAt = Now };
}
