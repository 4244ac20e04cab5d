namespace Ingestion.Core.Pipeline.Verify;

/// <summary>What a check is for.</summary>
/// <param name="Meaning">What holds where it finds nothing, in a sentence for the person on call.</param>
/// <param name="Repair">What a repair does, where one is safe without a decision; null where a person has to look.</param>
/// <param name="Deletes">True where the repair takes something away for good.</param>
public sealed record CheckInfo(string Invariant, string Name, string Meaning, string? Repair = null, bool Deletes = false);

/// <summary>Every check there is, in the order in which it is told.</summary>
public static class CheckCatalog
{
    /// <summary>What each invariant promises.</summary>
    public static IReadOnlyDictionary<string, string> Invariants { get; } = new Dictionary<string, string>
    {
        ["I1"] = "Nothing is lost: whatever was accepted is exactly one item, on its way or ended.",
        ["I2"] = "Nothing is doubled: what is published is there once, whole and searchable.",
        ["I3"] = "The log is complete and tells what the rows say.",
        ["I4"] = "Attempts stay within their budgets.",
        ["I5"] = "Nobody holds a task longer than its lease allows.",
        ["I6"] = "Files are as they were written, and every file belongs to a row.",
        ["I7"] = "Whoever wants to hear of an event has heard of it, will, or was given up.",
        ["I8"] = "Percentages follow from what was counted.",
    };

    public static CheckInfo Find(string name) => All.Single(c => c.Name == name);

    public static IReadOnlyList<CheckInfo> All { get; } =
    [
        new("I1", "upload_has_one_item", "Every uploaded file of a batch is one item."),
        new("I1", "address_has_one_item", "Every pasted address is one item."),
        new("I1", "listed_row_has_one_item", "Every row that a listing found is one item."),
        new("I1", "open_item_has_open_task", "Every item that has not ended has a task that will move it."),
        new("I1", "open_input_has_open_task", "Every source that is still to be listed has a task that will list it."),
        new("I1", "open_task_has_open_item", "A task that has not ended belongs to an item that has not, at the same stage."),
        new("I1", "task_belongs_to_its_job", "Tasks hang on the job of their own batch and stage."),
        new("I1", "ended_batch_is_idle", "A batch that has ended has nothing left to do but what waits for review."),
        new("I1", ItemChecks.StuckBatch, "A batch that runs has something to run, or somebody ends it.", "Ends the batches that nobody ended, as the last task would have."),
        new("I1", ItemChecks.HalfCancelled, "A cancel is carried out within a minute.", "Carries the cancels to their end."),
        new("I1", ItemChecks.JobFlags, "The jobs of a batch are open to workers exactly while it runs.", "Opens and closes the jobs as the state of their batch says."),
        new("I1", "frozen_counts_add_up", "The counts of an ended batch are those of its items."),
        new("I1", "review_has_blocked_task", "A document that waits for review is asked about once, and only while it waits."),

        new("I2", "chunk_ordinal_is_unique", "The chunks of a version are numbered without repeats."),
        new("I2", "source_content_is_unique", "The same content of a source is one version."),
        new("I2", "source_is_unique", "The same place in a collection is one source."),
        new("I2", "version_has_its_chunks", "A version has as many chunks as were counted, numbered without gaps."),
        new("I2", "published_chunk_has_words", "Every published chunk is found by its words."),
        new("I2", "published_chunk_has_vector", "Every published chunk is found by its meaning."),
        new("I2", "vector_has_its_dimensions", "Vectors have the length of their model."),
        new("I2", "done_item_was_published", "An item that is done was published."),
        new("I2", "chunk_belongs_to_a_version", "No chunk is left over."),
        new("I2", "words_belong_to_a_chunk", "No full-text row is left over."),
        new("I2", "vector_belongs_to_a_chunk", "No vector is left over."),
        new("I2", "artifact_belongs_to_a_version", "No stored file that counts is left over."),
        new("I2", "version_has_live_artifacts", "The files of every version count as stored."),
        new("I2", ContentChecks.Claims, "Only items on their way keep others from carrying the same content.", "Gives up the claims of items that have ended."),

        new("I3", "numbers_have_no_gaps", "The events of a batch are numbered without gaps up to its last number."),
        new("I3", "pruned_events_add_up", "What retention removed and what is left are all events there were."),
        new("I3", "events_belong_to_a_batch", "Every event belongs to a batch of its tenant."),
        new("I3", "log_folds_to_items", "The log leads to the state of every item."),
        new("I3", "log_folds_to_tasks", "The log tells of the end of every task once."),
        new("I3", "log_folds_to_failures", "The log tells of every charged failure and every lost lease."),
        new("I3", "nothing_follows_an_end", "Nothing is told of a task after its end."),
        new("I3", "attempts_never_go_back", "The attempts of a task only grow."),
        new("I3", "log_folds_to_batches", "The log leads to the state of every batch."),

        new("I4", "failures_stay_in_budget", "No document is tried more often than its options allow."),
        new("I4", "crashes_are_quarantined", "A document that ended its worker three times in a row is not tried again."),
        new("I4", "attempts_cover_failures", "Every failure and crash was an attempt."),
        new("I4", "stage_succeeds_once_a_run", "A stage succeeds once for an item, and once more for each retry."),

        new("I5", AttemptChecks.ExpiredLease, "A task whose worker fell silent is taken back within a lease and a sweep.", "Takes the tasks back now."),
        new("I5", "running_task_has_a_worker", "A task at work has a worker and a lease."),

        new("I6", "artifact_file_exists", "The file of every stored artifact is there."),
        new("I6", "artifact_file_is_unchanged", "Stored files have the length and, in a full check, the bytes that were written."),
        new("I6", FileChecks.Stranger, "Every stored file is named by a row.", "Deletes the files that no row names.", Deletes: true),
        new("I6", FileChecks.LostName, "The names that other programs read hold what is published.", "Writes the published documents to their names again."),
        new("I6", "upload_file_exists", "Uploads that still wait to be read are there, whole."),

        new("I7", "ending_reached_its_webhooks", "Every end of a batch is told to every webhook that wants to hear of it."),
        new("I7", "delivery_goes_on_or_has_ended", "A delivery has arrived, has a time for its next try, or was given up."),
        new("I7", "delivered_was_answered", "What counts as delivered was answered with success."),
        new("I7", "delivery_ids_are_unique", "No two deliveries have the same id."),

        new("I8", "progress_stays_in_bounds", "No item shows more done than there is to do."),
        new("I8", "percentages_follow_from_items", "Every percentage that is shown follows from the items by its formula."),
    ];
}
