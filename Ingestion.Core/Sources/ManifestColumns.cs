using System.Globalization;

namespace Ingestion.Core.Sources;

/// <summary>The columns of a manifest: their names, and a guess at what they mean.</summary>
internal static class ManifestColumns
{
    /// <summary>Names of address columns, the surest first.</summary>
    private static readonly string[] UrlNames = ["hyperlink", "url", "link", "href", "uri", "address", "source"];

    private static readonly string[] TitleNames = ["krithi", "title", "name", "label", "heading", "subject"];

    /// <summary>True where a cell is a complete http or https URL, as far as its syntax goes.</summary>
    public static bool IsUrl(string cell) =>
        Uri.TryCreate(cell.Trim(), UriKind.Absolute, out var url)
        && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
        && cell.TrimStart().StartsWith("http", StringComparison.OrdinalIgnoreCase);

    /// <summary>Unique names for the cells of a header.</summary>
    public static List<string> Name(IReadOnlyList<string> header)
    {
        var names = new List<string>(header.Count);
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var cell in header)
        {
            var wanted = cell.Trim() is { Length: > 0 } name ? name : Numbered(names.Count);
            var unique = wanted;
            for (var copy = 2; !seen.Add(unique); copy++)
                unique = string.Create(CultureInfo.InvariantCulture, $"{wanted} ({copy})");
            names.Add(unique);
        }
        return names;
    }

    /// <summary>The name of a column without one, by its place from 0.</summary>
    public static string Numbered(int index) => string.Create(CultureInfo.InvariantCulture, $"Column {index + 1}");

    /// <summary>
    /// The likeliest mapping: a column named for addresses that holds some, else one that holds mostly addresses, else one named so.
    /// Null where there is none.
    /// </summary>
    public static ManifestMapping? Guess(IReadOnlyList<string> columns, IReadOnlyList<string[]> rows)
    {
        if (columns.Count == 0)
            return null;

        var shares = columns.Select((_, i) => ShareOfUrls(rows, i)).ToArray();
        var named = UrlNames.SelectMany(name => Indexes(columns, name)).Distinct().ToList();
        var best = Array.IndexOf(shares, shares.Max());
        int url;
        if (named.Where(i => shares[i] >= 0.5).Select(i => (int?)i).FirstOrDefault() is { } sure)
            url = sure;
        else if (shares[best] > 0.5)
            url = best;
        else if (named.Count > 0)
            url = named[0];
        else
            return null;

        var title = TitleNames.SelectMany(name => Indexes(columns, name)).Where(i => i != url).Select(i => columns[i]).FirstOrDefault();
        return new ManifestMapping(columns[url], title);
    }

    /// <summary>Columns of this name, then those whose name ends in it as a word: <c>Source URL</c>, <c>page_link</c>.</summary>
    private static IEnumerable<int> Indexes(IReadOnlyList<string> columns, string name) =>
        Enumerable.Range(0, columns.Count).Where(i => columns[i].Equals(name, StringComparison.OrdinalIgnoreCase))
            .Concat(Enumerable.Range(0, columns.Count).Where(i => EndsInWord(columns[i], name)));

    private static bool EndsInWord(string column, string word) =>
        column.Length > word.Length && column.EndsWith(word, StringComparison.OrdinalIgnoreCase)
        && !char.IsLetterOrDigit(column[^(word.Length + 1)]);

    private static double ShareOfUrls(IReadOnlyList<string[]> rows, int column)
    {
        var cells = rows.Where(r => column < r.Length && !string.IsNullOrWhiteSpace(r[column])).Select(r => r[column]).ToList();
        return cells.Count == 0 ? 0 : (double)cells.Count(IsUrl) / cells.Count;
    }
}
