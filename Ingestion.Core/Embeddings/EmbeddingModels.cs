using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Embeddings;

/// <summary>Which model a batch gets. There are at most two: the local one, always, and the configured remote one.</summary>
public sealed class EmbeddingModels(IOptions<EmbeddingOptions> options, HashingEmbedder local, OpenAiEmbedder remote, EmbeddingKey? key = null)
{
    private readonly EmbeddingOptions _options = options.Value;

    /// <summary>The model that needs no network and no key.</summary>
    public EmbeddingModel Local { get; } = new(HashingEmbedder.ModelId, HashingEmbedder.Dimensions, HashingEmbedder.Version, local, IsLocal: true);

    /// <summary>What a new collection gets when nobody says anything.</summary>
    public EmbeddingModel Default => IsRemote ? Remote : Local;

    // A key can also come later, as a secret.
    private bool IsRemote => _options.IsRemote || key?.Value is not null;

    private EmbeddingModel Remote => new(_options.Model, remote.Dimensions, OpenAiEmbedder.Version, remote, IsLocal: false);

    /// <summary>
    /// Resolves a batch's <c>embedding_model_preference</c>. Absent means the collection's model, and for a new collection
    /// <see cref="Default"/>. <c>text-embedding-3-large</c> is what callers send who never chose: where it is not configured it means
    /// <see cref="Default"/>, and the note says so. Names are compared without case.
    /// </summary>
    /// <param name="preference">The batch's wish; null or blank where it has none.</param>
    /// <param name="collectionModel">The model of the collection's serving vectors; null for a new collection.</param>
    /// <exception cref="IngestionException"><c>embedder_not_configured</c>: no such model here, or the collection's own is gone.</exception>
    public EmbeddingModel Resolve(string? preference, string? collectionModel = null)
    {
        if (!string.IsNullOrWhiteSpace(preference))
        {
            var wish = preference.Trim();
            if (Find(wish) is { } wished) return wished;
            if (!Same(wish, EmbeddingOptions.DefaultModel)) throw NotConfigured($"The embedding model “{Shown(wish)}” is not configured here.");
            var why = IsRemote ? "is not the configured model" : "needs a key or an endpoint, and none is set";
            return Default with { Note = $"{EmbeddingOptions.DefaultModel} {why}; {Default.Id} is used." };
        }

        // Unlike a wish, a collection's model is a fact: vectors of two models in one index would compare nonsense.
        if (!string.IsNullOrWhiteSpace(collectionModel))
            return Find(collectionModel.Trim()) ?? throw NotConfigured($"This collection was embedded with “{Shown(collectionModel.Trim())}”, which is not configured any more.");
        return Default;
    }

    private EmbeddingModel? Find(string name) =>
        Same(name, Local.Id) ? Local
        : IsRemote && Same(name, _options.Model) ? Remote
        : null;

    private static bool Same(string a, string b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);

    private static string Shown(string name) => name.Length <= 100 ? name : name[..100] + "…";

    private static IngestionException NotConfigured(string message) => new(ErrorCodes.EmbedderNotConfigured, message);
}
