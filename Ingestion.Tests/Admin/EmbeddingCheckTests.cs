using Ingestion.Admin.Api;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Embeddings;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class EmbeddingCheckTests
{
    [Fact]
    public async Task Failing_service_degrades_health_until_it_answers_again_and_no_look_asks_it()
    {
        var broken = true;
        await using var service = await StubEmbeddingService.StartAsync((context, _) =>
        {
            context.Response.StatusCode = broken ? 500 : 200;
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(broken ? "{}" : """{"data":[{"index":0,"embedding":[1,0]}],"usage":{"total_tokens":1}}""");
        });
        var options = Options.Create(new EmbeddingOptions { Endpoint = service.Endpoint, Model = "stub" });
        using var remote = service.Connect();
        using var batcher = new EmbeddingBatcher(options, TimeProvider.System, NullLogger<EmbeddingBatcher>.Instance);
        var models = new EmbeddingModels(options, new HashingEmbedder(), remote);
        var check = new EmbeddingCheck(models, batcher);

        (await LookAsync(check)).ShouldBe((HealthStatus.Healthy, "Nothing has been asked of the embedding service since this process started."));
        (await Should.ThrowAsync<IngestionException>(batcher.EmbedAsync(models.Default, ["a"], CancellationToken.None))).Code.ShouldBe(ErrorCodes.EmbeddingUnavailable);
        var (status, reason) = await LookAsync(check);
        status.ShouldBe(HealthStatus.Degraded);
        reason!.ShouldMatch("^The embedding service failed: embedding_unavailable at .+Z\\. It has not answered since this process started\\.$");
        reason!.ShouldNotContain("127.0.0.1");

        broken = false;
        await batcher.EmbedAsync(models.Default, ["a"], CancellationToken.None);
        (status, reason) = await LookAsync(check);
        (status, reason!.StartsWith("It last answered at ", StringComparison.Ordinal)).ShouldBe((HealthStatus.Healthy, true));
        service.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Local_model_is_healthy_whatever_the_network_does()
    {
        var options = Options.Create(new EmbeddingOptions());
        using var remote = new OpenAiEmbedder(OpenAiEmbedder.CreateHandler(), options.Value, TimeProvider.System);
        using var batcher = new EmbeddingBatcher(options, TimeProvider.System, NullLogger<EmbeddingBatcher>.Instance);
        (await LookAsync(new(new(options, new HashingEmbedder(), remote), batcher))).ShouldBe((HealthStatus.Healthy, null));
    }

    private static async Task<(HealthStatus, string?)> LookAsync(EmbeddingCheck check)
    {
        var result = await check.CheckHealthAsync(new());
        return (result.Status, result.Description);
    }
}
