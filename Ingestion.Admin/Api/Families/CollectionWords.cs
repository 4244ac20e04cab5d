using System.Globalization;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>What <c>/collections/{id}/ingestion-jobs</c> calls things: a document is a job there.</summary>
internal static class CollectionWords
{
    public const string Pending = "pending";
    public const string Processing = "processing";
    public const string Completed = "completed";
    public const string Failed = "failed";
    public const string Cancelled = "cancelled";

    /// <summary>Steps of a job whose stage counts nothing of its own: fetch, convert, chunk, store.</summary>
    private const int Steps = 4;

    public static IReadOnlyList<string> All { get; } = [Pending, Processing, Completed, Failed, Cancelled];

    public static string Of(ItemStanding standing) => standing switch
    {
        ItemStanding.Waiting => Pending,
        ItemStanding.Running or ItemStanding.Between or ItemStanding.Retrying or ItemStanding.Blocked => Processing,
        ItemStanding.Done or ItemStanding.Skipped => Completed,
        ItemStanding.Failed or ItemStanding.Rejected => Failed,
        _ => Cancelled,
    };

    /// <summary>What a word of a query stands for; throws <c>invalid_option</c> for a word that is none.</summary>
    public static IReadOnlyList<ItemStanding> Standings(string word) =>
        Enum.GetValues<ItemStanding>().Where(s => Of(s) == word).ToList() is { Count: > 0 } standings
            ? standings
            : throw new IngestionException(ErrorCodes.InvalidOption, $"status must be one of {string.Join(", ", All)}.");

    /// <summary>How far a job is within its stage, in what the stage counts: bytes, steps or chunks. Never falls while one stage works on it.</summary>
    public static JobProgress Progress(ItemView item)
    {
        var standing = ItemStandings.Of(item);
        return standing switch
        {
            ItemStanding.Waiting => Step(0, "Waiting to be processed"),
            ItemStanding.Done => item.ChunkCount is > 0 and var chunks ? new(chunks, chunks, 100, $"Completed: {chunks} / {chunks} chunks added") : Step(Steps, "Completed"),
            ItemStanding.Skipped => Step(Steps, $"Skipped: {item.ProgressMessage ?? "already in the collection."}"),
            ItemStanding.Failed => Step(Behind(item.Stage), "Failed"),
            ItemStanding.Rejected => Step(Behind(item.Stage), "Rejected by a reviewer"),
            ItemStanding.Cancelled => Step(Behind(item.Stage), "Cancelled"),
            ItemStanding.Blocked => Step(Behind(item.Stage), "Waiting for review"),
            ItemStanding.Retrying => Step(Behind(item.Stage), $"Attempt {item.Attempt.ToString(CultureInfo.InvariantCulture)} failed; another one follows"),
            ItemStanding.Between => Step(Behind(item.Stage), item.Stage switch { Stage.Parse => "Fetched; waiting to be converted", Stage.Embed => "Split into chunks; waiting for embeddings", _ => "Waiting to be added to the collection" }),
            _ => Running(item),
        };
    }

    private static JobProgress Running(ItemView item) => (item.Stage, item.ShownStep) switch
    {
        (Stage.Acquire, _) when item.ProgressTotal is > 0 and var bytes => Counted(item.ProgressCurrent, bytes, Fetching(item)),
        (Stage.Acquire, _) => Step(0, Fetching(item)),
        (Stage.Parse, ItemStep.Chunking) => Step(2, "Splitting content into chunks..."),
        (Stage.Parse or Stage.Resolve, _) => Step(1, item.ProgressMessage ?? "Converting content to Markdown..."),
        (Stage.Embed, _) => Counted(item.ProgressTotal is null ? 0 : item.ProgressCurrent, item.ProgressTotal ?? item.ChunkCount ?? 1, item.ProgressTotal is null ? "Generating embeddings..." : item.ProgressMessage),
        (Stage.Index, _) when item.ProgressTotal is { } total => Counted(item.ProgressCurrent, total, $"{item.ProgressCurrent} / {total} chunks added"),
        (Stage.Index, _) => Counted(0, item.ChunkCount ?? 1, "Adding chunks to collection..."),
        _ => Step(Behind(item.Stage), "Waiting for review"),
    };

    private static string Fetching(ItemView item) => item.SourceType == SourceTypes.Upload ? $"Reading {item.Name}" : $"Crawling {item.SourceKey}";

    private static int Behind(Stage stage) => stage switch
    {
        Stage.Discover or Stage.Acquire => 0,
        Stage.Parse => 1,
        _ => 3,
    };

    private static JobProgress Step(int done, string message) => Counted(done, Steps, message);

    private static JobProgress Counted(int current, int total, string? message) =>
        new(current, total, total == 0 ? 0 : Math.Round(100.0 * current / total, 1), message is { Length: > MaxMessage } ? message[..(MaxMessage - 1)] + "…" : message ?? "");

    private const int MaxMessage = 255;
}

/// <param name="Percentage">Current ÷ total × 100, with one decimal.</param>
/// <param name="Message">A sentence for a person, at most 255 characters.</param>
internal sealed record JobProgress(int Current, int Total, double Percentage, string Message);
