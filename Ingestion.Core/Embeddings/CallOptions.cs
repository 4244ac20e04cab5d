using Ingestion.Core.Pipeline;
using Microsoft.Extensions.AI;

namespace Ingestion.Core.Embeddings;

/// <summary>A generator here serves one model with one length. A call that asks for another is refused, never quietly answered with this one.</summary>
internal static class CallOptions
{
    /// <exception cref="IngestionException"><c>invalid_option</c>.</exception>
    public static void Check(EmbeddingGenerationOptions? options, string model, int? dimensions)
    {
        if (options?.ModelId is { } other && !string.Equals(other, model, StringComparison.OrdinalIgnoreCase))
            throw new IngestionException(ErrorCodes.InvalidOption, $"This embedder serves {model}, not {other}.");
        if (options?.Dimensions is { } length && length != dimensions)
            throw new IngestionException(ErrorCodes.InvalidOption, $"{model} is not set up for vectors of {length} dimensions.");
    }
}
