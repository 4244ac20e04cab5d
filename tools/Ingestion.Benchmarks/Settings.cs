using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.Extensions.Configuration;

namespace Ingestion.Benchmarks;

/// <summary>
/// The settings under which everything is measured. They are the product's defaults but for three things: no pacing, because the host is
/// ours; as many requests to the one host as to all; and 64 workers, so that the batch may use all slots of the process.
/// </summary>
internal static class Settings
{
    /// <summary>More than all slots together: the batch is limited by the process, not by its own wish.</summary>
    public const int Workers = 64;

    /// <summary>Documents that every contender does before the clock starts.</summary>
    public const int WarmUp = 40;

    public static readonly PipelineOptions Pipeline = new();

    /// <summary>Requests in flight, of the pipeline and of the floor.</summary>
    public static readonly int Requests = Pipeline.Slots.Acquire;

    public static IConfiguration Configuration(Inputs inputs, bool remote, string data = "")
    {
        var values = new Dictionary<string, string?>
        {
            ["Ingestion:Data"] = data,
            [$"{AcquireOptions.Section}:{nameof(AcquireOptions.AllowedTargets)}:0"] = inputs.PageServer.Authority,
            [$"{AcquireOptions.Section}:{nameof(AcquireOptions.RequestsPerMinutePerHost)}"] = "0",
            [$"{AcquireOptions.Section}:{nameof(AcquireOptions.ConnectionsPerHost)}"] = $"{Requests}",
            [$"{AcquireOptions.Section}:{nameof(AcquireOptions.MaxConcurrentRequests)}"] = $"{Requests}",
        };
        if (remote)
        {
            values[$"{EmbeddingOptions.Section}:{nameof(EmbeddingOptions.Endpoint)}"] = inputs.EmbeddingServer.AbsoluteUri;
            values[$"{EmbeddingOptions.Section}:{nameof(EmbeddingOptions.Model)}"] = EmbeddingServer.Model;
            values[$"{EmbeddingOptions.Section}:{nameof(EmbeddingOptions.Dimensions)}"] = $"{EmbeddingServer.Dimensions}";
        }
        return new ConfigurationBuilder().AddInMemoryCollection(values).Build();
    }
}
