using Ingestion.Core.Sources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Embeddings;

public static class EmbeddingServices
{
    /// <summary>Key of the <see cref="HttpMessageHandler"/> that carries calls to the embedding service; register another before to guard it.</summary>
    public const string HandlerKey = "embedding";

    /// <summary>Registers the models, the batcher and their options (section <c>Ingestion:Embedding</c>, checked at start).</summary>
    public static IServiceCollection AddEmbeddings(this IServiceCollection services)
    {
        services.AddOptions<EmbeddingOptions>().BindConfiguration(EmbeddingOptions.Section).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<EmbeddingOptions>, EmbeddingOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddKeyedSingleton<HttpMessageHandler>(HandlerKey, (_, _) => OpenAiEmbedder.CreateHandler());
        services.TryAddSingleton<HashingEmbedder>();
        services.TryAddSingleton(s => new OpenAiEmbedder(
            s.GetRequiredKeyedService<HttpMessageHandler>(HandlerKey),
            s.GetRequiredService<IOptions<EmbeddingOptions>>().Value,
            s.GetRequiredService<TimeProvider>(),
            Turns(s),
            s.GetService<EmbeddingKey>() is { } kept ? () => kept.Value : null));
        services.TryAddSingleton<EmbeddingModels>();
        services.TryAddSingleton<EmbeddingBatcher>();
        return services;
    }

    private static EmbeddingTurns? Turns(IServiceProvider services) => services.GetRequiredService<IOptions<EmbeddingOptions>>().Value is { RequestsPerMinute: > 0 } limited
        ? new(services.GetRequiredService<HostBudgets>(), $"embedding:{limited.BaseAddress.Host}:{limited.BaseAddress.Port}", limited.RequestsPerMinute, services.GetRequiredService<TimeProvider>())
        : null;
}
