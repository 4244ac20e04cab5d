using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;

namespace Ingestion.Core.Resolution;

/// <summary>
/// Reference lists as tables. Entities: <c>name</c>, and if wanted <c>key</c>, <c>aliases</c> (parted by <c>|</c>), <c>parent</c>; every other
/// column is an attribute. Aliases: <c>alias</c>, <c>entity</c> and if wanted <c>certainty</c>, a number or HIGH, MEDIUM, LOW.
/// </summary>
public static class ReferenceTables
{
    private static readonly string[] Known = ["key", "name", "aliases", "parent"];

    /// <summary>Throws <c>invalid_manifest</c> naming line and column where the table is none.</summary>
    public static async Task<IReadOnlyList<ReferenceEntity>> ReadEntitiesAsync(Stream table, CancellationToken ct)
    {
        var entities = new List<ReferenceEntity>();
        var taken = new HashSet<string>();
        await foreach (var (line, row) in RowsAsync(table, ["name"], ct))
        {
            var name = row.GetValueOrDefault("name", "").Trim();
            if (name.Length == 0) throw Invalid($"Line {line} has no name.");
            var key = row.GetValueOrDefault("key") is { Length: > 0 } given ? given.Trim() : KeyOf(name, taken);
            if (!taken.Add(key)) throw Invalid($"Line {line}: the key “{key}” is there already.");
            var aliases = row.GetValueOrDefault("aliases", "").Split('|', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(a => new EntityAlias(a)).ToList();
            var attributes = row.Where(c => !Known.Contains(c.Key, StringComparer.OrdinalIgnoreCase) && c.Value.Length > 0).ToDictionary(c => c.Key, c => c.Value);
            entities.Add(new(key, name, aliases, row.GetValueOrDefault("parent") is { Length: > 0 } parent ? parent : null, attributes));
        }
        return entities;
    }

    /// <summary>Throws <c>invalid_manifest</c> naming line and column where the table is none.</summary>
    public static async Task<IReadOnlyList<NamedAlias>> ReadAliasesAsync(Stream table, CancellationToken ct)
    {
        var aliases = new List<NamedAlias>();
        await foreach (var (line, row) in RowsAsync(table, ["alias", "entity"], ct))
            aliases.Add(new(row["alias"], row["entity"], row.GetValueOrDefault("certainty") is { Length: > 0 } word ? Certainty(word, line) : 1));
        return aliases;
    }

    /// <summary>A key for a name: its letters, with a number where they are taken.</summary>
    public static string KeyOf(string name, IReadOnlySet<string> taken)
    {
        var key = Spelling.Fold(name) is { Length: > 0 } folded ? folded : "entity";
        for (var (unique, n) = (key, 2); ; unique = $"{key}-{n++}")
            if (!taken.Contains(unique)) return unique;
    }

    private static double Certainty(string word, int line) => word.Trim().ToUpperInvariant() switch
    {
        "HIGH" => 1,
        "MEDIUM" => 0.6,
        "LOW" => 0.4,
        var number when double.TryParse(number, System.Globalization.CultureInfo.InvariantCulture, out var certainty) && certainty is >= 0 and <= 1 => certainty,
        _ => throw Invalid($"Line {line}: “{word}” is no certainty; it is a number from 0 to 1, or HIGH, MEDIUM or LOW."),
    };

    private static async IAsyncEnumerable<(int Line, Dictionary<string, string> Row)> RowsAsync(Stream stream, string[] needed, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await using var table = await DelimitedTable.OpenAsync(stream, ct);
        string[]? columns = null;
        while (await table.ReadAsync(ct))
        {
            var cells = table.Cells();
            if (columns is null)
            {
                columns = [.. cells.Select(c => c.Trim())];
                foreach (var missing in needed.Where(n => !columns.Contains(n, StringComparer.OrdinalIgnoreCase)))
                    throw Invalid($"The table has no column “{missing}”; it has {string.Join(", ", columns)}.");
                continue;
            }
            var row = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            for (var i = 0; i < columns.Length && i < cells.Length; i++) row[columns[i]] = cells[i].Trim().Replace('\0', '\uFFFD');
            foreach (var column in needed) row.TryAdd(column, "");
            yield return (table.Line, row);
        }
    }

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidManifest, message);
}
