using System.Text.Json;
using Ingestion.Admin.Api;
using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class BatchRequestTests
{
    private static readonly ProcessingOptions Defaults = new() { ChunkSize = 700, MaxRetries = 1 };

    [Theory]
    [InlineData("""{"name":"x"}""", 700, 1)]
    [InlineData("""{"name":"x","options":{}}""", 700, 1)]
    [InlineData("""{"name":"x","options":{"max_retries":5}}""", 700, 5)]
    public void What_a_submission_does_not_say_is_as_this_installation_has_it(string body, int chunkSize, int retries)
    {
        var options = BatchRequest.Read(JsonSerializer.Deserialize<JsonElement>(body), Defaults).Options;
        (options.ChunkSize, options.MaxRetries).ShouldBe((chunkSize, retries));
    }
}
