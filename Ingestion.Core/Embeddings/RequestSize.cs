namespace Ingestion.Core.Embeddings;

/// <summary>How much goes into one request: a number of texts and a number of characters, whichever is reached first, but never nothing.</summary>
internal static class RequestSize
{
    /// <summary>The texts from <paramref name="start"/> on that fit into one request; at least one.</summary>
    public static IReadOnlyList<string> Take(IReadOnlyList<string> texts, int start, int maxTexts)
    {
        var taken = new List<string>(Math.Min(maxTexts, texts.Count - start)) { texts[start] };
        var characters = texts[start].Length;
        for (var i = start + 1; i < texts.Count && Fits(taken.Count, characters, texts[i].Length, maxTexts); i++)
        {
            taken.Add(texts[i]);
            characters += texts[i].Length;
        }
        return taken;
    }

    /// <summary>Whether one more text of that length still belongs into a request.</summary>
    public static bool Fits(int texts, int characters, int next, int maxTexts) =>
        texts == 0 || (texts < maxTexts && characters + next <= OpenAiEmbedder.MaxCharactersPerRequest);
}
