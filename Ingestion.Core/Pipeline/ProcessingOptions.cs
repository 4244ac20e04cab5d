using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Ingestion.Core.Chunking;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// How one batch is processed. What a submission leaves out comes from the section <c>Ingestion:Processing</c>.
/// Immutable; stored with the batch as JSON.
/// </summary>
public sealed record ProcessingOptions
{
    public const string Section = "Ingestion:Processing";

    /// <summary>Reserved for parsers that ask a language model; part of what makes a version.</summary>
    [JsonPropertyName("use_llm_parsing")]
    public bool UseLlmParsing { get; init; }

    /// <summary>The model a submission asks for; null leaves the choice to the collection and the installation.</summary>
    [JsonPropertyName("embedding_model_preference")]
    public string? EmbeddingModelPreference { get; init; }

    /// <summary>Upper limit of a chunk, in characters.</summary>
    [JsonPropertyName("chunk_size")]
    public int ChunkSize { get; init; } = 1000;

    /// <summary>Text repeated from the end of the chunk before, in characters.</summary>
    [JsonPropertyName("chunk_overlap")]
    public int ChunkOverlap { get; init; } = 200;

    /// <summary>0 to 1; a document that scores lower goes to review.</summary>
    [JsonPropertyName("quality_threshold")]
    public double QualityThreshold { get; init; } = 0.7;

    /// <summary>False: a failed document stays failed until a person retries it.</summary>
    [JsonPropertyName("retry_failed_files")]
    public bool RetryFailedFiles { get; init; } = true;

    /// <summary>Further attempts after the first.</summary>
    [JsonPropertyName("max_retries")]
    public int MaxRetries { get; init; } = 3;

    /// <summary>True: a document whose content the collection already holds is skipped, whatever the other options say.</summary>
    [JsonPropertyName("skip_existing")]
    public bool SkipExisting { get; init; } = true;

    /// <summary>Keep headings, lists and tables; false gives plain paragraphs.</summary>
    [JsonPropertyName("preserve_structure")]
    public bool PreserveStructure { get; init; } = true;

    /// <summary>Keep formulas as TeX where the format has them.</summary>
    [JsonPropertyName("extract_math")]
    public bool ExtractMath { get; init; } = true;

    /// <summary>False: one document of the batch at a time.</summary>
    [JsonPropertyName("parallel_processing")]
    public bool ParallelProcessing { get; init; } = true;

    /// <summary>Documents of the batch at work at once, over all stages.</summary>
    [JsonPropertyName("max_workers")]
    public int MaxWorkers { get; init; } = 4;

    /// <summary>Seconds for one document at one stage.</summary>
    [JsonPropertyName("timeout_seconds")]
    public int TimeoutSeconds { get; init; } = 300;

    /// <summary>Options of single sources, by source type; each source checks its own. Never from the settings.</summary>
    [JsonPropertyName("source_specific_options")]
    public IReadOnlyDictionary<string, JsonElement> SourceSpecificOptions { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Workers that the batch really gets.</summary>
    [JsonIgnore]
    public int Workers => ParallelProcessing ? MaxWorkers : 1;

    /// <summary>Retries that a document really gets.</summary>
    [JsonIgnore]
    public int Retries => RetryFailedFiles ? MaxRetries : 0;

    [JsonIgnore]
    public TimeSpan Timeout => TimeSpan.FromSeconds(TimeoutSeconds);

    [JsonIgnore]
    public ChunkingOptions Chunking => new(ChunkSize, ChunkOverlap);

    /// <summary>
    /// SHA-256, lower-case hex, of the options that change what is published. Two submissions with the same hash
    /// make the same version of the same bytes; patience, workers and retries do not enter.
    /// </summary>
    [JsonIgnore]
    public string OutputHash => Convert.ToHexStringLower(SHA256.HashData(CanonicalOutput()));

    /// <summary>
    /// The options of a submission over <paramref name="defaults"/>: what the object names is taken, the rest stays.
    /// Throws <c>invalid_option</c> naming the option where one is unknown, of the wrong type or out of range.
    /// </summary>
    public static ProcessingOptions Read(JsonElement? submitted, ProcessingOptions defaults)
    {
        var options = submitted is { ValueKind: not (JsonValueKind.Null or JsonValueKind.Undefined) } json
            ? ProcessingOptionsJson.Merge(json, defaults)
            : defaults;
        options.Require();
        return options;
    }

    /// <summary>Throws <c>invalid_option</c> with the first problem.</summary>
    public void Require()
    {
        if (Problems().FirstOrDefault() is { Property: not null } problem)
            throw new IngestionException(ErrorCodes.InvalidOption, $"{JsonNamingPolicy.SnakeCaseLower.ConvertName(problem.Property)} {problem.Must}.");
    }

    /// <summary>What is out of range, as the C# property and the rest of a sentence with its unit.</summary>
    public IEnumerable<(string Property, string Must)> Problems()
    {
        if (ChunkSize is < 100 or > 20_000)
            yield return (nameof(ChunkSize), $"must be 100 to 20000 characters, not {ChunkSize}");
        if (ChunkOverlap < 0 || ChunkOverlap >= ChunkSize)
            yield return (nameof(ChunkOverlap), $"must be 0 or more and less than the chunk size of {ChunkSize} characters, not {ChunkOverlap}");
        if (QualityThreshold is not (>= 0 and <= 1))
            yield return (nameof(QualityThreshold), FormattableString.Invariant($"must be 0 to 1, not {QualityThreshold}"));
        if (MaxRetries is < 0 or > 20)
            yield return (nameof(MaxRetries), $"must be 0 to 20 retries, not {MaxRetries}");
        if (MaxWorkers is < 1 or > 1000)
            yield return (nameof(MaxWorkers), $"must be 1 to 1000 documents at once, not {MaxWorkers}");
        if (TimeoutSeconds is < 1 or > 86_400)
            yield return (nameof(TimeoutSeconds), $"must be 1 to 86400 seconds, not {TimeoutSeconds}");
        if (EmbeddingModelPreference is { } model && (string.IsNullOrWhiteSpace(model) || model.Length > 200))
            yield return (nameof(EmbeddingModelPreference), "must be the name of a model, at most 200 characters");
    }

    // Written by hand: names in ordinal order, no blanks, no locale. A change here makes every stored version look different.
    private byte[] CanonicalOutput()
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteNumber("chunk_overlap", ChunkOverlap);
            json.WriteNumber("chunk_size", ChunkSize);
            json.WriteBoolean("extract_math", ExtractMath);
            json.WriteBoolean("preserve_structure", PreserveStructure);
            json.WriteBoolean("use_llm_parsing", UseLlmParsing);
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }
}
