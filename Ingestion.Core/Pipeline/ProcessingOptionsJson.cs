using System.Text.Json;

namespace Ingestion.Core.Pipeline;

/// <summary>Lays a submission's options over the defaults, with a sentence for each thing that does not fit.</summary>
internal static class ProcessingOptionsJson
{
    public static ProcessingOptions Merge(JsonElement json, ProcessingOptions options)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw Invalid("processing_options must be an object.");
        foreach (var option in json.EnumerateObject())
            options = With(options, option.Name, option.Value);
        return options;
    }

    private static ProcessingOptions With(ProcessingOptions o, string name, JsonElement value) => name switch
    {
        "use_llm_parsing" => o with { UseLlmParsing = Flag(name, value) },
        "embedding_model_preference" => o with { EmbeddingModelPreference = Text(name, value) },
        "chunk_size" => o with { ChunkSize = Whole(name, value, "characters") },
        "chunk_overlap" => o with { ChunkOverlap = Whole(name, value, "characters") },
        "quality_threshold" => o with { QualityThreshold = Fraction(name, value) },
        "retry_failed_files" => o with { RetryFailedFiles = Flag(name, value) },
        "max_retries" => o with { MaxRetries = Whole(name, value, "retries") },
        "skip_existing" => o with { SkipExisting = Flag(name, value) },
        "preserve_structure" => o with { PreserveStructure = Flag(name, value) },
        "extract_math" => o with { ExtractMath = Flag(name, value) },
        "parallel_processing" => o with { ParallelProcessing = Flag(name, value) },
        "max_workers" => o with { MaxWorkers = Whole(name, value, "documents at once") },
        "timeout_seconds" => o with { TimeoutSeconds = Whole(name, value, "seconds") },
        "source_specific_options" => o with { SourceSpecificOptions = Sources(name, value) },
        _ => throw Invalid($"'{Short(name)}' is not a processing option."),
    };

    private static bool Flag(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Invalid($"{name} must be true or false."),
    };

    private static int Whole(string name, JsonElement value, string unit) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            ? number
            : throw Invalid($"{name} must be a whole number of {unit}.");

    private static double Fraction(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number)
            ? number
            : throw Invalid($"{name} must be a number from 0 to 1.");

    private static string? Text(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        _ => throw Invalid($"{name} must be the name of a model."),
    };

    // Cloned: the submission's document is gone by the time a source reads its part.
    private static Dictionary<string, JsonElement> Sources(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Object
            ? value.EnumerateObject().GroupBy(p => p.Name).ToDictionary(g => g.Key, g => g.Last().Value.Clone())
            : throw Invalid($"{name} must be an object.");

    private static string Short(string name) => name.Length <= 60 ? name : name[..60] + "…";

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
