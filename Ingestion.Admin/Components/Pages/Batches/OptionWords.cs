using System.Text.Json;
using Ingestion.Admin.Components.Parts;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Pages.Batches;

/// <summary>A batch's options as people read them, with their units.</summary>
/// <param name="Name">The option's name in APIs.</param>
public sealed record OptionWords(string Name, string Label, string Value)
{
    public static IReadOnlyList<OptionWords> Of(ProcessingOptions o) =>
    [
        new("chunk_size", "Chunk size", Format.Count(o.ChunkSize, "character")),
        new("chunk_overlap", "Chunk overlap", Format.Count(o.ChunkOverlap, "character")),
        new("embedding_model_preference", "Embedding model", o.EmbeddingModelPreference ?? "as the collection has it"),
        new("quality_threshold", "Quality threshold", FormattableString.Invariant($"{o.QualityThreshold:0.##} of 1")),
        new("skip_existing", "Skip what is already published", YesNo(o.SkipExisting)),
        new("preserve_structure", "Keep headings, lists and tables", YesNo(o.PreserveStructure)),
        new("extract_math", "Keep formulas", YesNo(o.ExtractMath)),
        new("use_llm_parsing", "Parse with a language model", YesNo(o.UseLlmParsing)),
        new("retry_failed_files", "Retry by itself", o.RetryFailedFiles ? Format.Count(o.MaxRetries, "time") + " after the first attempt" : "no"),
        new("max_workers", "Documents at work at once", o.ParallelProcessing ? $"up to {Format.Count(o.MaxWorkers)}" : "1"),
        new("timeout_seconds", "Time for one document at one stage", Format.Duration(o.Timeout)),
    ];

    /// <summary>The options stored with a batch.</summary>
    public static ProcessingOptions Stored(BatchView batch)
    {
        using var json = JsonDocument.Parse(batch.Options);
        return ProcessingOptions.Read(json.RootElement, new());
    }

    private static string YesNo(bool value) => value ? "yes" : "no";
}
