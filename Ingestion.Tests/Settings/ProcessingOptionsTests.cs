using System.Text.Json;
using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Settings;

public sealed class ProcessingOptionsTests
{
    [Fact]
    public void What_a_submission_names_is_taken_and_the_rest_stays()
    {
        var read = Read("""{"chunk_size": 500, "extract_math": false, "source_specific_options": {"url": {"depth": 2}}}""", new() { MaxRetries = 7 });
        (read.ChunkSize, read.ExtractMath, read.MaxRetries, read.ChunkOverlap).ShouldBe((500, false, 7, 200));
        read.SourceSpecificOptions["url"].GetProperty("depth").GetInt32().ShouldBe(2);
    }

    [Fact]
    public void No_object_at_all_gives_the_defaults() => ProcessingOptions.Read(null, new() { MaxWorkers = 2 }).MaxWorkers.ShouldBe(2);

    [Theory]
    [InlineData("""{"chunk_sise": 5}""", "'chunk_sise' is not a processing option")]
    [InlineData("""{"chunk_size": "big"}""", "chunk_size must be a whole number of characters")]
    [InlineData("""{"chunk_size": 99}""", "chunk_size must be 100 to 20000 characters, not 99")]
    [InlineData("""{"chunk_overlap": 1000}""", "chunk_overlap must be 0 or more and less than the chunk size")]
    [InlineData("""{"quality_threshold": 1.5}""", "quality_threshold must be 0 to 1, not 1.5")]
    [InlineData("""{"max_retries": -1}""", "max_retries must be 0 to 20 retries")]
    [InlineData("""{"max_workers": 0}""", "max_workers must be 1 to 1000 documents at once")]
    [InlineData("""{"timeout_seconds": 0}""", "timeout_seconds must be 1 to 86400 seconds")]
    [InlineData("""{"skip_existing": 1}""", "skip_existing must be true or false")]
    [InlineData("""{"embedding_model_preference": " "}""", "embedding_model_preference must be the name of a model")]
    [InlineData("""[]""", "processing_options must be an object")]
    public void What_does_not_fit_is_refused_with_option_and_unit(string json, string message)
    {
        var refused = Should.Throw<IngestionException>(() => Read(json));
        refused.Code.ShouldBe(ErrorCodes.InvalidOption);
        refused.Message.ShouldStartWith(message);
    }

    [Fact]
    public void Json_round_trip_keeps_every_option()
    {
        var options = Read("""{"use_llm_parsing": true, "chunk_size": 700, "chunk_overlap": 0, "embedding_model_preference": "m", "timeout_seconds": 9}""");
        var json = JsonSerializer.SerializeToElement(options);
        json.EnumerateObject().Count().ShouldBe(14);
        Read(json.GetRawText()).ShouldBeEquivalentTo(options);
    }

    [Theory]
    [InlineData("""{"chunk_size": 999}""")]
    [InlineData("""{"chunk_overlap": 199}""")]
    [InlineData("""{"preserve_structure": false}""")]
    [InlineData("""{"extract_math": false}""")]
    [InlineData("""{"use_llm_parsing": true}""")]
    public void Options_that_change_the_output_change_the_hash(string json) => Read(json).OutputHash.ShouldNotBe(new ProcessingOptions().OutputHash);

    [Fact]
    public void Options_that_only_change_the_way_there_keep_the_hash() =>
        Read("""{"quality_threshold": 0.1, "max_workers": 9, "timeout_seconds": 1, "max_retries": 0, "skip_existing": false}""")
            .OutputHash.ShouldBe(new ProcessingOptions().OutputHash);

    // Stored beside every version: another value here would make all of them be processed anew.
    [Fact]
    public void Hash_of_the_defaults_never_changes() =>
        new ProcessingOptions().OutputHash.ShouldBe(Sha256("""{"chunk_overlap":200,"chunk_size":1000,"extract_math":true,"preserve_structure":true,"use_llm_parsing":false}"""));

    [Fact]
    public void Without_parallel_processing_one_worker_is_left() => Read("""{"parallel_processing": false}""").Workers.ShouldBe(1);

    [Fact]
    public void Without_retries_of_failed_files_none_is_left() => Read("""{"retry_failed_files": false}""").Retries.ShouldBe(0);

    private static ProcessingOptions Read(string json, ProcessingOptions? defaults = null)
    {
        using var document = JsonDocument.Parse(json);
        return ProcessingOptions.Read(document.RootElement, defaults ?? new());
    }

    private static string Sha256(string text) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
}
