using Ingestion.Admin.Api.Families;
using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

/// <summary>Each family has words of its own for every state there is, and no word of another.</summary>
public sealed class StandingWordsTests
{
    [Theory]
    [InlineData(ItemStanding.Waiting, "pending", "pending")]
    [InlineData(ItemStanding.Running, "processing", "running")]
    [InlineData(ItemStanding.Between, "processing", "pending")]
    [InlineData(ItemStanding.Retrying, "processing", "retryable")]
    [InlineData(ItemStanding.Blocked, "processing", "blocked")]
    [InlineData(ItemStanding.Done, "completed", "succeeded")]
    [InlineData(ItemStanding.Skipped, "completed", "succeeded")]
    [InlineData(ItemStanding.Failed, "failed", "failed")]
    [InlineData(ItemStanding.Rejected, "failed", "cancelled")]
    [InlineData(ItemStanding.Cancelled, "cancelled", "cancelled")]
    public void A_document_has_a_word_in_each_family(ItemStanding standing, string job, string task)
    {
        CollectionWords.Of(standing).ShouldBe(job);
        ImportWords.Of(standing).ShouldBe(task);
        CollectionWords.Standings(job).ShouldContain(standing);
        ImportWords.Tasks(task).ShouldContain(standing);
    }

    [Theory]
    [InlineData(BatchState.Pending, "queued", "pending")]
    [InlineData(BatchState.Queued, "queued", "pending")]
    [InlineData(BatchState.Running, "processing", "running")]
    [InlineData(BatchState.Retrying, "processing", "running")]
    [InlineData(BatchState.Paused, "processing", "paused")]
    [InlineData(BatchState.Completed, "done", "succeeded")]
    [InlineData(BatchState.Failed, "error", "failed")]
    [InlineData(BatchState.Cancelled, "error", "cancelled")]
    public void A_batch_has_a_word_in_each_family(BatchState state, string sync, string import)
    {
        SyncWords.Of(state).ShouldBe(sync);
        ImportWords.Of(state).ShouldBe(import);
        ImportWords.Batches(import).ShouldContain(state);
    }

    [Fact]
    public void Every_state_has_a_word_that_its_family_knows()
    {
        foreach (var standing in Enum.GetValues<ItemStanding>())
        {
            CollectionWords.All.ShouldContain(CollectionWords.Of(standing));
            ImportWords.TaskStatuses.ShouldContain(ImportWords.Of(standing));
        }
        foreach (var state in Enum.GetValues<BatchState>())
        {
            SyncWords.All.ShouldContain(SyncWords.Of(state));
            ImportWords.BatchStatuses.ShouldContain(ImportWords.Of(state));
        }
        foreach (var state in Enum.GetValues<TaskState>())
            foreach (var again in new[] { false, true })
                ImportWords.TaskStatuses.ShouldContain(ImportWords.Of(state, again));
        foreach (var stage in Enum.GetValues<Stage>()) ImportWords.Jobs.Select(j => j.Type).ShouldContain(ImportWords.JobOf(stage));
    }

    [Theory]
    [InlineData(Stage.Discover, "MANIFEST_INGEST")]
    [InlineData(Stage.Acquire, "SCRAPE")]
    [InlineData(Stage.Parse, "SCRAPE")]
    [InlineData(Stage.Resolve, "ENTITY_RESOLUTION")]
    [InlineData(Stage.Review, "REVIEW_PREP")]
    [InlineData(Stage.Embed, "ENRICH")]
    [InlineData(Stage.Index, "ENRICH")]
    public void A_stage_belongs_to_a_kind_of_job(Stage stage, string job) => ImportWords.JobOf(stage).ShouldBe(job);

    [Theory]
    [InlineData("running", "running", "succeeded")]
    [InlineData("running", "pending", "succeeded")]
    [InlineData("pending", "pending")]
    [InlineData("retryable", "retryable", "succeeded")]
    [InlineData("blocked", "blocked", "succeeded")]
    [InlineData("succeeded", "succeeded", "failed")]
    [InlineData("failed", "failed", "cancelled")]
    [InlineData("cancelled", "cancelled")]
    public void A_job_is_as_its_tasks_are(string job, params string[] tasks) => ImportWords.OfJob(tasks.ToDictionary(t => t, _ => 1)).ShouldBe(job);

    [Theory]
    [InlineData(Stage.Parse, ItemStep.Chunking, null, null, 2, 4, 50.0, "Splitting content into chunks...")]
    [InlineData(Stage.Acquire, ItemStep.Downloading, 512, 2048, 512, 2048, 25.0, "Crawling https://example.org/")]
    [InlineData(Stage.Index, ItemStep.Storing, 250, 1000, 250, 1000, 25.0, "250 / 1000 chunks added")]
    [InlineData(Stage.Embed, ItemStep.Embedding, 128, 512, 128, 512, 25.0, "Generating embeddings: 128 / 512")]
    public void A_running_job_counts_what_its_stage_counts(Stage stage, ItemStep step, int? done, int? all, int current, int total, double percentage, string message)
    {
        var progress = CollectionWords.Progress(Item() with
        {
            State = ItemState.Open, TaskState = TaskState.Running, Stage = stage, Step = step, ProgressCurrent = done ?? 0, ProgressTotal = all,
            ProgressMessage = stage == Stage.Embed ? $"Generating embeddings: {done} / {all}" : null, ChunkCount = 7,
        });
        progress.ShouldBe(new(current, total, percentage, message));
    }

    [Fact]
    public void Chunks_are_counted_only_while_they_are_added()
    {
        foreach (var stage in new[] { Stage.Acquire, Stage.Parse, Stage.Embed })
            CollectionWords.Progress(Item() with { State = ItemState.Open, TaskState = TaskState.Running, Stage = stage, ChunkCount = 9 }).Message.ShouldNotContain("chunks added");
        CollectionWords.Progress(Item() with { State = ItemState.Open, TaskState = TaskState.Running, Stage = Stage.Index, ChunkCount = 9 }).ShouldBe(new(0, 9, 0, "Adding chunks to collection..."));
        CollectionWords.Progress(Item() with { State = ItemState.Done, ChunkCount = 9 }).Percentage.ShouldBe(100);
    }

    private static ItemView Item() => new() { SourceType = SourceTypes.Url, SourceKey = "https://example.org/", Name = "Example", Metadata = "{}" };
}
