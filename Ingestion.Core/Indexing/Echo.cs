namespace Ingestion.Core.Indexing;

/// <summary>
/// Whether a text echoes a question: holds one of its words, or at least half of a word's runs of four letters. The local model compares
/// wording and nothing else, so what does not echo came near by chance, however near it came.
/// </summary>
internal sealed class Echo
{
    private const int Run = 4;
    private const int Telling = 3;
    private readonly IReadOnlyList<string[]> _words;

    public Echo(IReadOnlyList<string> words)
    {
        var telling = words.Where(w => w.Length >= Telling).ToList();
        _words = [.. (telling.Count > 0 ? telling : words).Select(Runs)];
    }

    /// <summary>True also for a question without words: there the signs decide.</summary>
    public bool In(string text) => _words.Count == 0 || _words.Any(runs => 2 * runs.Count(r => text.Contains(r, StringComparison.OrdinalIgnoreCase)) >= runs.Length);

    private static string[] Runs(string word) => word.Length <= Run
        ? [word]
        : [.. Enumerable.Range(0, word.Length - Run + 1).Select(i => word.Substring(i, Run)).Distinct()];
}
