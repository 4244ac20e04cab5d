using Ingestion.Core.Resolution;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;

namespace Ingestion.Tests.Resolution;

/// <summary>A real reference list, the rows of three real manifests, and what those rows mean.</summary>
internal static class KrithiReference
{
    private static readonly string? Folder = KrithiSite.Files() is [var first, ..] ? Path.GetFullPath(Path.Combine(Path.GetDirectoryName(first)!, "..")) : null;

    public static readonly Matcher Ragas = new(
        [MatchStep.Exact, MatchStep.Folded, MatchStep.Transliterated, MatchStep.Trigram, MatchStep.EditDistance], Reading.Letters, ["arohanam", "avarohanam"]);

    public static bool IsHere => Folder is not null;

    public static async Task<IReadOnlyList<ReferenceEntity>> EntitiesAsync(string file)
    {
        var table = await File.ReadAllTextAsync(Path.Combine(Folder!, "reference", file));
        return await ReferenceTables.ReadEntitiesAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(table)), CancellationToken.None);
    }

    /// <summary>Spellings with what somebody found them to mean, and how certain that is.</summary>
    public static async Task<IReadOnlyList<NamedAlias>> MapAsync()
    {
        var table = await File.ReadAllTextAsync(Path.Combine(Folder!, "head", "raga-resolution-map.csv"));
        table = table.Replace("unresolved_raga,suggested_master_raga,confidence", "alias,entity,certainty", StringComparison.Ordinal);
        return await ReferenceTables.ReadAliasesAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(table)), CancellationToken.None);
    }

    /// <summary>The rows of the three manifests.</summary>
    public static async Task<IReadOnlyList<Row>> RowsAsync()
    {
        var rows = new List<Row>();
        foreach (var file in KrithiSite.Files())
        {
            await using var stream = File.OpenRead(file);
            await foreach (var row in ManifestReader.ReadAsync(stream, new("Hyperlink", "Krithi"))) rows.Add(new(row.Title!, row.Metadata["Raga"]));
        }
        return rows;
    }

    /// <summary>Titles and ragas of the rows that the map is about.</summary>
    public static async Task<IReadOnlySet<Row>> MappedAsync()
    {
        var rows = new HashSet<Row>();
        await using var stream = File.OpenRead(Path.Combine(Folder!, "head", "unresolved-ragas-krithis.csv"));
        await foreach (var row in ManifestReader.ReadAsync(stream, new("Hyperlink", "Krithi"))) rows.Add(new(row.Title!, row.Metadata["Raga"]));
        return rows;
    }

    /// <summary>What a spelling means: by the map, else the one entity whose letters it has, or whose sound.</summary>
    public static Func<string, string?> Truth(IReadOnlyList<ReferenceEntity> entities, IReadOnlyList<NamedAlias> map)
    {
        var mapped = map.ToDictionary(m => m.Text, m => m.Entity);
        // Some have two names: “Yamuna Kalyāni/Yaman Kalyan{Hindustani}”.
        var folded = entities.SelectMany(e => e.Name.Split('{')[0].Split('/').Append(e.Name).Distinct().Select(n => (Key: Spelling.Fold(n), e.Name))).GroupBy(e => e.Key).ToDictionary(g => g.Key, g => g.First().Name);
        var sounds = entities.GroupBy(e => Spelling.Sounds(e.Name, Reading.Plain)).ToDictionary(g => g.Key, g => g.First().Name);
        return raga => mapped.GetValueOrDefault(raga) ?? folded.GetValueOrDefault(Spelling.Fold(raga)) ?? sounds.GetValueOrDefault(Spelling.Sounds(raga, Reading.Letters));
    }

    internal sealed record Row(string Krithi, string Raga);
}
