using Ingestion.Core;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;
using Ingestion.Core.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Settings;

public sealed class SettingSourcesTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("settings-").FullName;
    private IReadOnlyList<string> _remarks = [];

    public static TheoryData<string, string> EnvironmentNames => new()
    {
        { "MAX_CONCURRENT_JOBS", "Ingestion:Pipeline:MaxConcurrentJobs" },
        { "MAX_CONCURRENT_PROCESSING", "Ingestion:Pipeline:MaxConcurrentProcessing" },
        { "CHUNK_SIZE", "Ingestion:Processing:ChunkSize" },
        { "CHUNK_OVERLAP", "Ingestion:Processing:ChunkOverlap" },
        { "USE_MARKER_LLM", "Ingestion:Processing:UseLlmParsing" },
        { "OPENAI_API_KEY", "Ingestion:Embedding:ApiKey" },
        { "INGESTION_JOB_REFRESH_RATE", "Ingestion:Refresh:Seconds" },
        { "OTEL_EXPORTER_OTLP_ENDPOINT", "Ingestion:Telemetry:OtlpEndpoint" },
        { "FIRECRAWL_API_KEY", "Ingestion:Firecrawl:ApiKey" },
        { "FIRECRAWL_WEBHOOK_SECRET", "Ingestion:Firecrawl:WebhookSecret" },
        { "S3_BUCKET_RAW", "Ingestion:Artifacts:RawBucket" },
        { "S3_BUCKET_MARKDOWN", "Ingestion:Artifacts:MarkdownBucket" },
        { "S3_ENDPOINT", "Ingestion:Artifacts:Endpoint" },
        { "S3_REGION", "Ingestion:Artifacts:Region" },
        { "S3_ACCESS_KEY", "Ingestion:Artifacts:AccessKey" },
        { "S3_SECRET_KEY", "Ingestion:Artifacts:SecretKey" },
        { "INGESTION_PORT", "Ingestion:Port" },
        { "INGESTION_BIND", "Ingestion:Bind" },
        { "INGESTION_DATA", "Ingestion:Data" },
        { "INGESTION_ROLE", "Ingestion:Role" },
        { "INGESTION_BOOTSTRAP_KEY", "Ingestion:BootstrapKey" },
        { "INGESTION_COMPAT_USER", "Ingestion:Access:CompatUser" },
        { "INGESTION_KEY_RING_SECRET", "Ingestion:Access:KeyRingSecret" },
    };

    public static TheoryData<string, string> YamlNames => new()
    {
        { "processing: { use_marker_llm: sentinel }", "Ingestion:Processing:UseLlmParsing" },
        { "processing: { chunk_size: sentinel }", "Ingestion:Processing:ChunkSize" },
        { "processing: { chunk_overlap: sentinel }", "Ingestion:Processing:ChunkOverlap" },
        { "processing: { max_file_size_mb: sentinel }", "Ingestion:Pipeline:MaxFileSizeMb" },
        { "embeddings: { openai_model: sentinel }", "Ingestion:Embedding:Model" },
        { "embeddings: { batch_size: sentinel }", "Ingestion:Embedding:BatchSize" },
        { "embeddings: { use_gpu: sentinel }", "Ingestion:Embedding:UseGpu" },
        { "max_concurrent_jobs: sentinel", "Ingestion:Pipeline:MaxConcurrentJobs" },
        { "max_concurrent_processing: sentinel", "Ingestion:Pipeline:MaxConcurrentProcessing" },
    };

    public static TheoryData<string, string> Defaults => new()
    {
        { "ConnectionStrings:Ingestion", "" },
        { "Ingestion:Port", "8001" },
        { "Ingestion:Bind", "127.0.0.1" },
        { "Ingestion:Processing:UseLlmParsing", "False" },
        { "Ingestion:Processing:ChunkSize", "1000" },
        { "Ingestion:Processing:ChunkOverlap", "200" },
        { "Ingestion:Processing:QualityThreshold", "0.7" },
        { "Ingestion:Processing:RetryFailedFiles", "True" },
        { "Ingestion:Processing:MaxRetries", "3" },
        { "Ingestion:Processing:SkipExisting", "True" },
        { "Ingestion:Processing:PreserveStructure", "True" },
        { "Ingestion:Processing:ExtractMath", "True" },
        { "Ingestion:Processing:ParallelProcessing", "True" },
        { "Ingestion:Processing:MaxWorkers", "4" },
        { "Ingestion:Processing:TimeoutSeconds", "300" },
        { "Ingestion:Pipeline:MaxConcurrentJobs", "4" },
        { "Ingestion:Pipeline:MaxConcurrentProcessing", "3" },
        { "Ingestion:Pipeline:MaxFileSizeMb", "100" },
        { "Ingestion:Pipeline:MaxItemsPerBatch", "250000" },
        { "Ingestion:Embedding:Model", "text-embedding-3-large" },
        { "Ingestion:Embedding:BatchSize", "32" },
        { "Ingestion:Embedding:UseGpu", "True" },
        { "Ingestion:Refresh:Seconds", "3" },
    };

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory, MemberData(nameof(EnvironmentNames))]
    public void Short_environment_name_sets_its_key(string name, string key) =>
        Read(environment: new() { [name] = "sentinel" })[key].ShouldBe("sentinel");

    [Theory, MemberData(nameof(YamlNames))]
    public void Yaml_path_sets_its_key(string yaml, string key) => Read(yaml)[key].ShouldBe("sentinel");

    [Theory, MemberData(nameof(Defaults))]
    public void Default_stands_in_the_settings_file(string key, string value) => Read()[key].ShouldBe(value);

    [Fact]
    public void The_table_has_no_names_beyond_those_tested()
    {
        SettingNames.All.Select(n => n.Environment).OfType<string>().Order().ShouldBe(EnvironmentNames.Select(r => (string)r[0]).Order());
        SettingNames.All.Count(n => n.Yaml is not null).ShouldBe(YamlNames.Count());
    }

    [Fact]
    public void Defaults_of_the_file_are_those_of_the_classes()
    {
        var read = Services(Read());
        read.GetRequiredService<IOptions<PipelineOptions>>().Value.ShouldBeEquivalentTo(new PipelineOptions());
        read.GetRequiredService<IOptions<RefreshOptions>>().Value.ShouldBeEquivalentTo(new RefreshOptions());
        read.GetRequiredService<IOptions<IngestionOptions>>().Value.ShouldBeEquivalentTo(new IngestionOptions());
        read.GetRequiredService<IOptions<ProcessingOptions>>().Value.ShouldBeEquivalentTo(new ProcessingOptions());
        read.GetRequiredService<IOptions<AccessOptions>>().Value.ShouldBeEquivalentTo(new AccessOptions());
        read.GetRequiredService<IOptions<LimitOptions>>().Value.ShouldBeEquivalentTo(new LimitOptions());
        read.GetRequiredService<IOptions<OidcSettings>>().Value.ShouldBeEquivalentTo(new OidcSettings());
        read.GetRequiredService<IOptions<DatabaseOptions>>().Value.ShouldBeEquivalentTo(new DatabaseOptions());
        read.GetRequiredService<IOptions<RetentionOptions>>().Value.ShouldBeEquivalentTo(new RetentionOptions());
        read.GetRequiredService<IOptions<ReviewOptions>>().Value.ShouldBeEquivalentTo(new ReviewOptions());
    }

    [Fact]
    public void Each_layer_wins_over_the_one_before()
    {
        const string key = "Ingestion:Processing:ChunkSize";
        const string yaml = "processing: { chunk_size: 1100 }";
        var environment = new Dictionary<string, string> { ["CHUNK_SIZE"] = "1200" };

        Read()[key].ShouldBe("1000");
        Read(yaml)[key].ShouldBe("1100");
        Read(yaml, environment)[key].ShouldBe("1200");
        environment["Ingestion__Processing__ChunkSize"] = "1300";
        Read(yaml, environment)[key].ShouldBe("1300");
        Read(yaml, environment, "--Ingestion:Processing:ChunkSize=1400")[key].ShouldBe("1400");
    }

    [Fact]
    public void Empty_environment_value_is_no_value() =>
        Read("processing: { chunk_size: 1100 }", new() { ["CHUNK_SIZE"] = "" })["Ingestion:Processing:ChunkSize"].ShouldBe("1100");

    [Fact]
    public void Unknown_yaml_path_is_remarked_upon()
    {
        Read("processing: { chunk_sise: 5 }");
        _remarks.ShouldHaveSingleItem().ShouldContain("'processing.chunk_sise'");
    }

    [Fact]
    public void Yaml_that_cannot_be_read_stops_the_start_with_its_line() =>
        Should.Throw<SettingException>(() => Read("processing:\n  chunk_size: [1\n")).Message.ShouldContain("config.yaml is not valid YAML at line");

    [Fact]
    public void Foreign_database_names_are_answered_once()
    {
        Read(environment: new() { ["SUPABASE_URL"] = "https://x", ["SUPABASE_KEY"] = "y" });
        _remarks.ShouldHaveSingleItem().ShouldContain("ConnectionStrings__Ingestion");
    }

    [Theory]
    [InlineData("Ingestion:Port", "70000", "INGESTION_PORT")]
    [InlineData("Ingestion:Bind", "everywhere", "INGESTION_BIND")]
    [InlineData("Ingestion:BootstrapKey", "short", "INGESTION_BOOTSTRAP_KEY")]
    [InlineData("Ingestion:Bind", "0.0.0.0", "INGESTION_BOOTSTRAP_KEY")]
    [InlineData("Ingestion:Refresh:Seconds", "0", "INGESTION_JOB_REFRESH_RATE")]
    [InlineData("Ingestion:Access:KeyRingSecret", "short", "INGESTION_KEY_RING_SECRET")]
    [InlineData("Ingestion:Access:CompatUser", "two words", "INGESTION_COMPAT_USER")]
    [InlineData("Ingestion:Access:KnownProxies:0", "proxy.example", "Ingestion:Access:KnownProxies")]
    [InlineData("Ingestion:Limits:SignInsPerMinute", "-1", "Ingestion:Limits:SignInsPerMinute")]
    [InlineData("Ingestion:Oidc:Authority", "http://login.example", "Ingestion:Oidc:Authority")]
    [InlineData("Ingestion:Processing:ChunkSize", "50", "CHUNK_SIZE")]
    [InlineData("Ingestion:Processing:ChunkOverlap", "1000", "CHUNK_OVERLAP")]
    [InlineData("Ingestion:Processing:QualityThreshold", "NaN", "Ingestion:Processing:QualityThreshold")]
    [InlineData("Ingestion:Pipeline:MaxConcurrentJobs", "0", "MAX_CONCURRENT_JOBS")]
    [InlineData("Ingestion:Pipeline:Heartbeat", "00:00:20", "Ingestion:Pipeline:Heartbeat")]
    [InlineData("Ingestion:Pipeline:MaxConcurrentJobs", "many", "Ingestion:Pipeline:MaxConcurrentJobs")]
    public void Bad_value_stops_the_start_naming_the_key(string key, string value, string named)
    {
        var services = Services(Read(arguments: $"--{key}={value}"));
        var failure = Should.Throw<Exception>(() => services.GetRequiredService<IStartupValidator>().Validate());
        Ingestion.Admin.Cli.StartFailure.Explain(failure).ShouldNotBeNull().ShouldContain(named);
    }

    private static ServiceProvider Services(IConfiguration configuration) =>
        new ServiceCollection().AddSingleton(configuration).AddIngestionOptions().BuildServiceProvider();

    private IConfigurationRoot Read(string? yaml = null, Dictionary<string, string>? environment = null, params string[] arguments)
    {
        if (yaml is not null)
            File.WriteAllText(Path.Combine(_directory, SettingSources.Yaml), yaml);
        var builder = new ConfigurationBuilder();
        _remarks = builder.AddSettings(new(AppContext.BaseDirectory, _directory, environment ?? [], arguments));
        return builder.Build();
    }
}
