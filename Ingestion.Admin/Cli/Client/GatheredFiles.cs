namespace Ingestion.Admin.Cli.Client;

/// <summary>What was named on the command line: files with the path that the batch shall show, and addresses.</summary>
/// <param name="Title">A name for the batch, from the first of them.</param>
internal sealed record GatheredFiles(IReadOnlyList<(string Path, string File)> Files, IReadOnlyList<string> Addresses, string? Title)
{
    /// <summary>Throws <see cref="ClientException"/> for a path that is not there.</summary>
    public static async Task<GatheredFiles> OfAsync(IReadOnlyList<string> words, TextReader input, CancellationToken ct)
    {
        var (files, addresses) = (new List<(string, string)>(), new List<string>());
        foreach (var word in words)
            if (word == "-") addresses.AddRange(await LinesAsync(input, ct));
            else if (IsAddress(word)) addresses.Add(word);
            else if (File.Exists(word)) files.Add((Path.GetFileName(word), word));
            else if (Directory.Exists(word)) files.AddRange(Below(word));
            else throw new ClientException(ExitCodes.Usage, $"There is no file or folder '{word}', and it is no http or https address.");
        var first = words.FirstOrDefault(w => w != "-") ?? addresses.FirstOrDefault();
        var title = first is null ? null : IsAddress(first) ? first : Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(first)));
        return new(files, addresses, title is { Length: > 200 } ? title[..200] : title);
    }

    // Shown with the folder's own name before them, as a browser does that is given a folder.
    private static IEnumerable<(string, string)> Below(string folder)
    {
        var root = Path.GetFullPath(folder);
        var above = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(root)) ?? root;
        return Directory.EnumerateFiles(root, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden | FileAttributes.ReparsePoint })
            .Order(StringComparer.Ordinal).Select(f => (Path.GetRelativePath(above, f).Replace(Path.DirectorySeparatorChar, '/'), f));
    }

    private static async Task<List<string>> LinesAsync(TextReader input, CancellationToken ct)
    {
        var lines = new List<string>();
        while (await input.ReadLineAsync(ct) is { } line)
            if (line.Trim() is { Length: > 0 } address && address[0] != '#') lines.Add(address);
        return lines;
    }

    private static bool IsAddress(string word) => word.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || word.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
}
