namespace Ingestion.Core.Settings;

/// <summary>One setting with the short names it also goes by.</summary>
/// <param name="Key">The configuration key, as in appsettings.json.</param>
/// <param name="Environment">Its name in the environment; null where it has none but the long one.</param>
/// <param name="Yaml">Its dotted path in <c>config.yaml</c>; null where it has none.</param>
public sealed record SettingName(string Key, string? Environment, string? Yaml = null);

/// <summary>The one table of short names. Whatever is not here is reached by its configuration key alone.</summary>
public static class SettingNames
{
    public static readonly IReadOnlyList<SettingName> All =
    [
        new("Ingestion:Port", "INGESTION_PORT"),
        new("Ingestion:Bind", "INGESTION_BIND"),
        new("Ingestion:Data", "INGESTION_DATA"),
        new("Ingestion:Role", "INGESTION_ROLE"),
        new("Ingestion:BootstrapKey", "INGESTION_BOOTSTRAP_KEY"),
        new("Ingestion:Access:CompatUser", "INGESTION_COMPAT_USER"),
        new("Ingestion:Access:KeyRingSecret", "INGESTION_KEY_RING_SECRET"),
        new("Ingestion:Refresh:Seconds", "INGESTION_JOB_REFRESH_RATE"),
        new("Ingestion:Pipeline:MaxConcurrentJobs", "MAX_CONCURRENT_JOBS", "max_concurrent_jobs"),
        new("Ingestion:Pipeline:MaxConcurrentProcessing", "MAX_CONCURRENT_PROCESSING", "max_concurrent_processing"),
        new("Ingestion:Pipeline:MaxFileSizeMb", null, "processing.max_file_size_mb"),
        new("Ingestion:Processing:ChunkSize", "CHUNK_SIZE", "processing.chunk_size"),
        new("Ingestion:Processing:ChunkOverlap", "CHUNK_OVERLAP", "processing.chunk_overlap"),
        new("Ingestion:Processing:UseLlmParsing", "USE_MARKER_LLM", "processing.use_marker_llm"),
        new("Ingestion:Embedding:ApiKey", "OPENAI_API_KEY"),
        new("Ingestion:Embedding:Model", null, "embeddings.openai_model"),
        new("Ingestion:Embedding:BatchSize", null, "embeddings.batch_size"),
        new("Ingestion:Embedding:UseGpu", null, "embeddings.use_gpu"),
        new("Ingestion:Firecrawl:ApiKey", "FIRECRAWL_API_KEY"),
        new("Ingestion:Firecrawl:WebhookSecret", "FIRECRAWL_WEBHOOK_SECRET"),
        new("Ingestion:Telemetry:OtlpEndpoint", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        new("Ingestion:Artifacts:RawBucket", "S3_BUCKET_RAW"),
        new("Ingestion:Artifacts:MarkdownBucket", "S3_BUCKET_MARKDOWN"),
        new("Ingestion:Artifacts:Endpoint", "S3_ENDPOINT"),
        new("Ingestion:Artifacts:Region", "S3_REGION"),
        new("Ingestion:Artifacts:AccessKey", "S3_ACCESS_KEY"),
        new("Ingestion:Artifacts:SecretKey", "S3_SECRET_KEY"),
    ];

    /// <summary>Names of other products that people set by habit, with the sentence that answers them at the start.</summary>
    public static readonly IReadOnlyDictionary<string, string> Answered = new Dictionary<string, string>
    {
        ["SUPABASE_URL"] = SupabaseAnswer,
        ["SUPABASE_KEY"] = SupabaseAnswer,
    };

    private const string SupabaseAnswer =
        "SUPABASE_URL and SUPABASE_KEY are not read: give the database as a PostgreSQL connection string in ConnectionStrings__Ingestion.";

    /// <summary>How a person names this key: the short environment name first, then the key itself.</summary>
    public static string Describe(string key) =>
        All.FirstOrDefault(n => n.Key == key) is { Environment: { } name } ? $"{key} ({name})" : key;
}
