using Ingestion.Core.Pipeline;

namespace Ingestion.Tests.Admin.Batches;

/// <summary>Batches for tests of words and buttons.</summary>
internal static class Batch
{
    public static BatchView In(BatchState state, BatchCounts? counts = null, DesiredState desired = DesiredState.Run, bool draft = false) => new()
    {
        Id = 1, PublicId = "job_1", Name = "A batch", CollectionKey = "default", CollectionName = "Default", Options = "{}", CreatedBy = "someone",
        State = state, DesiredState = desired, Draft = draft, Counts = counts ?? BatchCounts.None,
    };

    public static BatchCounts Counts(int total, int acquired = 0, int done = 0, int skipped = 0, int failed = 0, int cancelled = 0, int running = 0, int discovering = 0, int failedInputs = 0) =>
        BatchCounts.None with
        {
            Total = total, Acquired = acquired, Done = done, Skipped = skipped, Failed = failed, Cancelled = cancelled, Running = running,
            Open = total - done - skipped - failed - cancelled, Discovering = discovering, FailedInputs = failedInputs,
        };
}
