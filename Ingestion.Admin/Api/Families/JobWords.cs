using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>The words of <c>/batch</c>: what a job and a file are called there, and how far a file is.</summary>
internal static class JobWords
{
    public static string Job(BatchState state) => state switch
    {
        BatchState.Pending => "pending",
        BatchState.Queued => "queued",
        BatchState.Running => "running",
        BatchState.Paused => "paused",
        BatchState.Completed => "completed",
        BatchState.Failed => "failed",
        BatchState.Cancelled => "cancelled",
        BatchState.Retrying => "retrying",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, null),
    };

    /// <summary>The states that a job's word means; throws <c>invalid_option</c> naming the field where it is none.</summary>
    public static BatchState State(string name, string word)
    {
        foreach (var state in Enum.GetValues<BatchState>())
            if (Job(state) == word) return state;
        throw new IngestionException(ErrorCodes.InvalidOption, $"{name} must be one of {string.Join(", ", Enum.GetValues<BatchState>().Select(Job))}.");
    }

    public static string File(ItemView i) => i.State switch
    {
        ItemState.Done => "completed",
        ItemState.Skipped or ItemState.Cancelled => "skipped",
        ItemState.Failed or ItemState.Rejected => "failed",
        _ => i.ShownStep switch
        {
            ItemStep.Accessing => "accessing",
            ItemStep.Downloading => "downloading",
            ItemStep.Parsing => "parsing",
            ItemStep.Chunking => "chunking",
            ItemStep.Embedding => "embedding",
            ItemStep.Storing => "storing",
            _ => "pending",
        },
    };

    /// <summary>What a person reads beside the word.</summary>
    public static string Step(ItemView i) => i.State switch
    {
        ItemState.Done => "Completed",
        ItemState.Skipped => "Skipped: the collection has this content already",
        ItemState.Cancelled => "Cancelled",
        ItemState.Rejected => "Rejected in review",
        ItemState.Failed => "Failed",
        _ when i.TaskState == TaskState.Blocked => "Waiting for review",
        _ => i.ShownStep switch
        {
            ItemStep.Accessing => "Accessing the source",
            ItemStep.Downloading => "Downloading content",
            ItemStep.Parsing => "Parsing content",
            ItemStep.Chunking => "Creating chunks",
            ItemStep.Embedding => "Generating embeddings",
            ItemStep.Storing => "Storing in the database",
            ItemStep.Reviewing => "Waiting for review",
            _ when i.Failures > 0 => "Waiting for another attempt",
            _ => "Waiting",
        },
    };

    /// <summary>0 to 100. Each step has its part of the way; what ended is at its end, in whatever way.</summary>
    public static int Progress(ItemView i)
    {
        if (i.State != ItemState.Open) return 100;
        var (from, to) = i.TaskState == TaskState.Running ? Span(i.ShownStep, i.Stage) : (From(i.Stage), From(i.Stage));
        // What a task reported while it ran says nothing about one that waits.
        return i.ProgressTotal is > 0 and var total && to > from ? from + (int)((to - from) * Math.Min(1, (double)i.ProgressCurrent / total)) : from;
    }

    /// <summary>Rejected files count as failed, and cancelled ones as skipped, as their words say.</summary>
    public static (int Completed, int Failed, int Skipped) Files(BatchCounts c) => (c.Done, c.Failed + c.Rejected, c.Skipped + c.Cancelled);

    /// <inheritdoc cref="Files(BatchCounts)"/>
    public static (int Completed, int Failed, int Skipped) Files(SourceCounts c) => (c.Done, c.Failed + c.Rejected, c.Skipped + c.Cancelled);

    private static (int From, int To) Span(ItemStep step, Stage stage) => step switch
    {
        ItemStep.Accessing => (0, 0),
        ItemStep.Downloading => (5, 20),
        ItemStep.Parsing => (20, 45),
        ItemStep.Chunking => (45, 50),
        ItemStep.Embedding => (50, 90),
        ItemStep.Storing => (90, 99),
        _ => (From(stage), From(stage)),
    };

    private static int From(Stage stage) => stage switch
    {
        Stage.Parse => 20,
        Stage.Resolve or Stage.Review => 45,
        Stage.Embed => 50,
        Stage.Index => 90,
        _ => 0,
    };
}

/// <summary>A percentage as these clients know it: a number with one decimal, such as <c>60.0</c>.</summary>
[JsonConverter(typeof(Converter))]
internal readonly record struct OneDecimal(double Value)
{
    private sealed class Converter : JsonConverter<OneDecimal>
    {
        public override OneDecimal Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetDouble());

        public override void Write(Utf8JsonWriter writer, OneDecimal value, JsonSerializerOptions options) =>
            writer.WriteRawValue(value.Value.ToString("0.0", CultureInfo.InvariantCulture));
    }
}
