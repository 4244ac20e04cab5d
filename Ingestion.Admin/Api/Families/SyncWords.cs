using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>What <c>/v1/ingest</c> calls the state of a job.</summary>
internal static class SyncWords
{
    public const string Queued = "queued";
    public const string Processing = "processing";
    public const string Done = "done";
    public const string Error = "error";

    public static IReadOnlyList<string> All { get; } = [Queued, Processing, Done, Error];

    public static string Of(BatchState state) => state switch
    {
        BatchState.Pending or BatchState.Queued => Queued,
        BatchState.Running or BatchState.Retrying or BatchState.Paused => Processing,
        BatchState.Completed => Done,
        _ => Error,
    };
}
