using System.Text;
using Microsoft.Extensions.AI;

namespace Ingestion.Core.Embeddings;

/// <summary>
/// Vectors without a trained model: each word, pair of neighbouring words and run of four letters is hashed to one of 1,024 places
/// with a sign, weighted by the logarithm of its count, and the whole brought to length 1. It finds shared wording and spelling variants;
/// it knows no synonyms. No network, no state, and the same text gives the same bits everywhere.
/// </summary>
/// <remarks>
/// Text without a letter or digit is described by its symbols; blank text, or features that cancel out, give the first axis
/// (1, 0, 0 …), so that a vector is always valid. Beyond <see cref="MaxCharacters"/> a text is not read.
/// </remarks>
public sealed class HashingEmbedder : IEmbeddingGenerator<string, Embedding<float>>
{
    public const string ModelId = "local-hashing-1024";

    public const int Dimensions = 1024;

    /// <summary>Raise it with every change that moves a single bit of a vector.</summary>
    public const int Version = 1;

    /// <summary>UTF-16 units of a text that count; far above any chunk, and what bounds the memory of one call.</summary>
    public const int MaxCharacters = 1_000_000;

    private static readonly EmbeddingGeneratorMetadata Metadata = new("local", null, ModelId, Dimensions);

    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        CallOptions.Check(options, ModelId, Dimensions);
        var result = new GeneratedEmbeddings<Embedding<float>>();
        foreach (var text in values)
        {
            if (cancellationToken.IsCancellationRequested)
                return Task.FromCanceled<GeneratedEmbeddings<Embedding<float>>>(cancellationToken);
            result.Add(new Embedding<float>(Embed(text)) { ModelId = ModelId });
        }
        return Task.FromResult(result);
    }

    /// <summary>The vector of one text, <see cref="Dimensions"/> floats of length 1.</summary>
    public static float[] Embed(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var vector = new float[Dimensions];
        using var counts = new FeatureCounts();
        HashedFeatures.Count(Prepare(text.Length <= MaxCharacters ? text : text[..MaxCharacters]), counts);
        counts.AddTo(vector);
        if (!UnitLength.TryScale(vector)) vector[0] = 1;
        return vector;
    }

    object? IEmbeddingGenerator.GetService(Type serviceType, object? serviceKey)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(EmbeddingGeneratorMetadata) ? Metadata
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    void IDisposable.Dispose()
    {
    }

    /// <summary>One spelling for what looks the same: composed accents, full-width letters, ligatures.</summary>
    private static string Prepare(string text)
    {
        if (Ascii.IsValid(text)) return text;
        // Normalising throws on half a surrogate pair, which a cut text may well hold; going through UTF-8 replaces it.
        var whole = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
        return whole.Normalize(NormalizationForm.FormKC);
    }
}
