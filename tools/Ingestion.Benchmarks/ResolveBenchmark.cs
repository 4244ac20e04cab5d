using System.Diagnostics;
using Ingestion.Core.Resolution;

namespace Ingestion.Benchmarks;

/// <summary>Looking 1,240 names up in a list of 972 entities, one after the other in one thread. The names are made: half spelled otherwise, a quarter misspelled, a quarter unknown.</summary>
internal static class ResolveBenchmark
{
    private const int Entities = 972, Rows = 1240;
    private static readonly string[] Syllables = ["ka", "lyā", "ni", "bhai", "ra", "vi", "to", "di", "mo", "ha", "nam", "shan", "ka", "rā", "bha", "ra", "nam", "gow", "la", "shree", "poor", "vi", "kām", "bho", "ji"];

    public static Task<Result> RunAsync(Inputs inputs)
    {
        var random = new Random(20261122);
        var names = Enumerable.Range(0, Entities).Select(i => $"{Word(random)} {Word(random)}").ToList();
        var list = names.Select((n, i) => new ReferenceEntity($"e{i}", n)).ToList();
        var asked = Enumerable.Range(0, Rows).Select(i => (i % 4) switch
        {
            0 or 1 => names[random.Next(Entities)].Replace("ee", "I").Replace("ow", "au").Replace("ā", "A"),
            2 => names[random.Next(Entities)].Remove(2, 1),
            _ => Word(random),
        }).ToList();
        var matcher = new Matcher([MatchStep.Exact, MatchStep.Folded, MatchStep.Transliterated, MatchStep.Trigram, MatchStep.EditDistance], Reading.Letters);
        var begun = Stopwatch.GetTimestamp();
        var index = new ReferenceIndex(list, matcher);
        var linked = asked.Count(a => index.Match(a) is { Doubt: null, Confidence: >= Matcher.DefaultAccept });
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return Task.FromResult(new Result(seconds, new() { ["rows"] = Rows }, [$"{Rows} names against {Entities} entities, the index made anew: {linked} linked; under 5 s is wanted"]));
    }

    private static string Word(Random random) => string.Concat(Enumerable.Range(0, random.Next(2, 6)).Select(_ => Syllables[random.Next(Syllables.Length)]));
}
