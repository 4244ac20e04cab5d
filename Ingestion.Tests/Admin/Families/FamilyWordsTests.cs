using System.Text.Json;
using Ingestion.Admin.Api.Families;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

/// <summary>Every state that a document or a batch can be in has a word in each family, and it is one of that family's.</summary>
public sealed class FamilyWordsTests
{
    private static readonly string[] JobWordsKnown = ["pending", "queued", "running", "paused", "completed", "failed", "cancelled", "retrying"];
    private static readonly string[] FileWordsKnown = ["pending", "accessing", "downloading", "parsing", "chunking", "embedding", "storing", "completed", "failed", "skipped"];
    private static readonly string[] DocumentWordsKnown = ["PENDING", "DOWNLOADING", "INGESTING", "REVIEW", "COMPLETED", "SKIPPED", "FAILED", "CANCELLED"];

    [Fact]
    public void No_word_of_another_family_leaks()
    {
        var items = Items().ToList();
        foreach (var i in items)
        {
            JobWords.File(i).ShouldBeOneOf(FileWordsKnown);
            BulkWords.Document(i).ShouldBeOneOf(DocumentWordsKnown);
            JobWords.Step(i).ShouldNotBeNullOrWhiteSpace();
            foreach (var percent in new[] { JobWords.Progress(i), BulkWords.DownloadPercent(i), BulkWords.IngestionPercent(i) }) percent.ShouldBeInRange(0, 100);
            (JobWords.Progress(i) == 100).ShouldBe(i.State != ItemState.Open);
            (BulkWords.IngestionPercent(i) == 100).ShouldBe(i.State != ItemState.Open);
        }
        Enum.GetValues<BatchState>().Select(JobWords.Job).ShouldBe(JobWordsKnown, ignoreOrder: true);
        items.Select(JobWords.File).Distinct().ShouldBe(FileWordsKnown, ignoreOrder: true);
        items.Select(BulkWords.Document).Distinct().ShouldBe(DocumentWordsKnown, ignoreOrder: true);
        Console.WriteLine($"{items.Count} states of a document and {Enum.GetValues<BatchState>().Length} of a batch, all in the words of each family");
    }

    [Theory]
    [InlineData(ItemState.Open, Stage.Acquire, ItemStep.Pending, TaskState.Ready, 0, "pending", "PENDING")]
    [InlineData(ItemState.Open, Stage.Acquire, ItemStep.Pending, TaskState.Running, 0, "accessing", "DOWNLOADING")]
    [InlineData(ItemState.Open, Stage.Acquire, ItemStep.Downloading, TaskState.Running, 0, "downloading", "DOWNLOADING")]
    [InlineData(ItemState.Open, Stage.Acquire, ItemStep.Downloading, TaskState.Ready, 1, "pending", "DOWNLOADING")]
    [InlineData(ItemState.Open, Stage.Parse, ItemStep.Downloading, TaskState.Ready, 0, "pending", "INGESTING")]
    [InlineData(ItemState.Open, Stage.Parse, ItemStep.Pending, TaskState.Running, 0, "parsing", "INGESTING")]
    [InlineData(ItemState.Open, Stage.Parse, ItemStep.Chunking, TaskState.Running, 0, "chunking", "INGESTING")]
    [InlineData(ItemState.Open, Stage.Resolve, ItemStep.Pending, TaskState.Running, 0, "parsing", "INGESTING")]
    [InlineData(ItemState.Open, Stage.Embed, ItemStep.Embedding, TaskState.Running, 0, "embedding", "INGESTING")]
    [InlineData(ItemState.Open, Stage.Index, ItemStep.Storing, TaskState.Running, 0, "storing", "INGESTING")]
    [InlineData(ItemState.Open, Stage.Review, ItemStep.Pending, TaskState.Blocked, 0, "pending", "REVIEW")]
    [InlineData(ItemState.Done, Stage.Index, ItemStep.Finished, TaskState.Succeeded, 0, "completed", "COMPLETED")]
    [InlineData(ItemState.Skipped, Stage.Acquire, ItemStep.Finished, TaskState.Succeeded, 0, "skipped", "SKIPPED")]
    [InlineData(ItemState.Rejected, Stage.Review, ItemStep.Finished, TaskState.Failed, 0, "failed", "FAILED")]
    [InlineData(ItemState.Failed, Stage.Parse, ItemStep.Finished, TaskState.Failed, 0, "failed", "FAILED")]
    [InlineData(ItemState.Cancelled, Stage.Parse, ItemStep.Finished, TaskState.Cancelled, 0, "skipped", "CANCELLED")]
    internal void Documents_are_told_in_the_words_of_each_family(ItemState state, Stage stage, ItemStep step, TaskState task, int failures, string file, string document)
    {
        var item = Item(state, stage, step, task, failures);
        JobWords.File(item).ShouldBe(file);
        BulkWords.Document(item).ShouldBe(document);
    }

    [Fact]
    public void What_waits_for_a_person_and_what_was_cancelled_says_so()
    {
        JobWords.Step(Item(ItemState.Open, Stage.Review, ItemStep.Pending, TaskState.Blocked)).ShouldBe("Waiting for review");
        JobWords.Step(Item(ItemState.Cancelled, Stage.Parse, ItemStep.Finished, TaskState.Cancelled)).ShouldBe("Cancelled");
        JobWords.Step(Item(ItemState.Open, Stage.Embed, ItemStep.Embedding, TaskState.Running)).ShouldBe("Generating embeddings");
    }

    [Fact]
    public void Progress_of_a_document_never_falls_on_its_way()
    {
        ItemView At(Stage stage, ItemStep step, TaskState task, int current, int? total) => Item(ItemState.Open, stage, step, task) with { ProgressCurrent = current, ProgressTotal = total };
        ItemView[] way =
        [
            At(Stage.Acquire, ItemStep.Pending, TaskState.Ready, 0, null), At(Stage.Acquire, ItemStep.Accessing, TaskState.Running, 0, null),
            At(Stage.Acquire, ItemStep.Downloading, TaskState.Running, 1, 4), At(Stage.Acquire, ItemStep.Downloading, TaskState.Running, 4, 4),
            At(Stage.Parse, ItemStep.Downloading, TaskState.Ready, 4, 4), At(Stage.Parse, ItemStep.Parsing, TaskState.Running, 0, 10), At(Stage.Parse, ItemStep.Parsing, TaskState.Running, 10, 10),
            At(Stage.Parse, ItemStep.Chunking, TaskState.Running, 0, null), At(Stage.Embed, ItemStep.Chunking, TaskState.Ready, 0, null),
            At(Stage.Embed, ItemStep.Embedding, TaskState.Running, 3, 4), At(Stage.Index, ItemStep.Embedding, TaskState.Ready, 4, 4), At(Stage.Index, ItemStep.Storing, TaskState.Running, 1, 2),
            Item(ItemState.Done, Stage.Index, ItemStep.Finished, TaskState.Succeeded),
        ];
        way.Select(JobWords.Progress).ShouldBeInOrder();
        way.Select(BulkWords.DownloadPercent).ShouldBeInOrder();
        way.Select(BulkWords.IngestionPercent).ShouldBeInOrder();
        JobWords.Progress(way[9]).ShouldBe(80, "three of four chunks embedded");
    }

    [Fact]
    public void Every_fact_has_a_word_in_the_stream()
    {
        var kinds = typeof(EventKinds).GetFields().Select(f => (string)f.GetValue(null)!).ToList();
        foreach (var kind in kinds)
            foreach (var stage in Enum.GetValues<Stage>())
                BulkWords.Document(new StoredEvent(1, 1, default, kind, 7, 8, stage.Word(), null)).ShouldBeOneOf(DocumentWordsKnown);
        foreach (var kind in kinds.Where(k => k.StartsWith("batch_", StringComparison.Ordinal) || k.StartsWith("input", StringComparison.Ordinal)))
            JsonSerializer.SerializeToElement(BulkAnswers.Job(new StoredEvent(1, 1, default, kind, null, null, null, null))).GetProperty("Event").GetString().ShouldNotBe("changed", kind);
    }

    [Fact]
    public void Percentages_are_those_of_the_counts()
    {
        var counts = BatchCounts.None with { Total = 10, Open = 9, Done = 1, Acquired = 5 };
        (counts.DownloadPercent, counts.PercentTerminal, counts.OverallPercent).ShouldBe((50, 10, 30));
        var job = JsonSerializer.SerializeToElement(BulkAnswers.Progress(Batch(BatchState.Running) with { Counts = counts }));
        (job.GetProperty("Download").GetProperty("Percent").GetDouble(), job.GetProperty("Ingestion").GetProperty("Percent").GetDouble(), job.GetProperty("OverallPercent").GetDouble()).ShouldBe((50, 10, 30));
        job.GetProperty("Download").GetProperty("Text").GetString().ShouldBe("Downloading 5/10");
        job.GetProperty("Ingestion").GetProperty("Text").GetString().ShouldBe("Ingested 1/10");
    }

    [Theory]
    [InlineData(BatchState.Queued, 0, 4, "pending")]
    [InlineData(BatchState.Running, 1, 4, "running")]
    [InlineData(BatchState.Paused, 1, 4, "paused")]
    [InlineData(BatchState.Running, 4, 4, "completed")]
    [InlineData(BatchState.Completed, 0, 0, "completed")]
    [InlineData(BatchState.Queued, 0, 0, "pending")]
    public void Fetching_has_a_status_of_its_own(BatchState state, int acquired, int total, string word) =>
        BulkWords.Download(Batch(state) with { Counts = BatchCounts.None with { Total = total, Acquired = acquired } }).ShouldBe(word);

    private static IEnumerable<ItemView> Items() =>
        from state in Enum.GetValues<ItemState>()
        from stage in Enum.GetValues<Stage>()
        from step in Enum.GetValues<ItemStep>()
        from task in Enum.GetValues<TaskState>().Cast<TaskState?>().Append(null)
        from failures in new[] { 0, 2 }
        select Item(state, stage, step, task, failures) with { ProgressCurrent = 3, ProgressTotal = 3 };

    private static ItemView Item(ItemState state, Stage stage, ItemStep step, TaskState? task, int failures = 0) => new()
    {
        SourceType = "url", SourceKey = "https://example.org/", Name = "page", Metadata = "{}", State = state, Stage = stage, Step = step, TaskState = task, Failures = failures,
    };

    private static BatchView Batch(BatchState state) => new()
    {
        PublicId = "job_aaaaaaaaaaaaaaaa", Name = "a", CollectionKey = "default", CollectionName = "Default", Options = "{}", CreatedBy = "user123", State = state,
    };
}
