using System.Diagnostics;
using Ingestion.Core.Resolution;
using Ingestion.Core.Sources;

namespace Ingestion.Benchmarks;

/// <summary>
/// Looking names up in a list of entities, one after the other in one thread: those of real manifests in a real list where both are given, else 1,240 made
/// ones among 972 (half spelled otherwise, a quarter misspelled, a quarter unknown).
/// </summary>
internal static class ResolveBenchmark
{
    private const int Entities = 972, Rows = 1240;
    private static readonly string[] Syllables = ["ka", "lyā", "ni", "bhai", "ra", "vi", "to", "di", "mo", "ha", "nam", "shan", "ka", "rā", "bha", "ra", "nam", "gow", "la", "shree", "poor", "vi", "kām", "bho", "ji"];

    public static async Task<Result> RunAsync(Inputs inputs)
    {
        var (list, asked) = inputs is { List: { } file, Names: { } folder } ? (await ListAsync(file), await NamesAsync(folder, inputs.Column)) : Made();
        var matcher = new Matcher([MatchStep.Exact, MatchStep.Folded, MatchStep.Transliterated, MatchStep.Trigram, MatchStep.EditDistance], Reading.Letters);
        var begun = Stopwatch.GetTimestamp();
        var index = new ReferenceIndex(list, matcher);
        var linked = asked.Count(a => index.Match(a) is { Doubt: null, Confidence: >= Matcher.DefaultAccept });
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return new(seconds, new() { ["rows"] = asked.Count }, [$"{asked.Count} names ({asked.Distinct().Count()} different) against {list.Count} entities, the index made anew: {linked} linked; under 5 s is wanted"]);
    }

    private static async Task<IReadOnlyList<ReferenceEntity>> ListAsync(string file)
    {
        await using var table = File.OpenRead(file);
        return await ReferenceTables.ReadEntitiesAsync(table, CancellationToken.None);
    }

    private static async Task<IReadOnlyList<string>> NamesAsync(string folder, string column)
    {
        var names = new List<string>();
        foreach (var file in Directory.GetFiles(folder, "*.csv").Order(StringComparer.Ordinal))
        {
            await using var stream = File.OpenRead(file);
            await using var table = await DelimitedTable.OpenAsync(stream, CancellationToken.None);
            var at = -1;
            while (await table.ReadAsync(CancellationToken.None))
            {
                var cells = table.Cells();
                if (at >= 0) names.Add(at < cells.Length ? cells[at] : "");
                else if ((at = Array.IndexOf(cells, column)) < 0) throw new InvalidOperationException($"{file} has no column {column}.");
            }
        }
        return names;
    }

    private static (IReadOnlyList<ReferenceEntity> List, IReadOnlyList<string> Asked) Made()
    {
        var random = new Random(20261122);
        var names = Enumerable.Range(0, Entities).Select(i => $"{Word(random)} {Word(random)}").ToList();
        return ([.. names.Select((n, i) => new ReferenceEntity($"e{i}", n))], [.. Enumerable.Range(0, Rows).Select(i => (i % 4) switch
        {
            0 or 1 => names[random.Next(Entities)].Replace("ee", "I").Replace("ow", "au").Replace("ā", "A"),
            2 => names[random.Next(Entities)].Remove(2, 1),
            _ => Word(random),
        })]);
    }

    private static string Word(Random random) => string.Concat(Enumerable.Range(0, random.Next(2, 6)).Select(_ => Syllables[random.Next(Syllables.Length)]));
}
