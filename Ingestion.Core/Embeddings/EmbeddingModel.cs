using Microsoft.Extensions.AI;

namespace Ingestion.Core.Embeddings;

/// <summary>One model and what serves it. Every vector it gives has length 1, so that a dot product is the cosine.</summary>
/// <param name="Id">The name in records: <c>text-embedding-3-large</c>, <c>local-hashing-1024</c>.</param>
/// <param name="Dimensions">Floats in a vector; null where only the first answer tells.</param>
/// <param name="Version">Raised whenever the same text would give another vector under the same id.</param>
/// <param name="Generator">Serves the model; one object for the life of the process.</param>
/// <param name="IsLocal">Computed in this process: no network, no cost.</param>
/// <param name="Note">A sentence for a person where another model was asked for; else null.</param>
public sealed record EmbeddingModel(
    string Id,
    int? Dimensions,
    int Version,
    IEmbeddingGenerator<string, Embedding<float>> Generator,
    bool IsLocal,
    string? Note = null);
