using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Sources;

/// <summary>Manifests that lie on the server: section <c>Ingestion:Import</c>.</summary>
public sealed class ImportOptions
{
    public const string Section = "Ingestion:Import";

    /// <summary>The one directory whose manifests may be named in a request; empty for none.</summary>
    public string ManifestFolder { get; set; } = "";
}

/// <summary>Files of the one directory that requests may name. Nothing outside of it is ever opened, whatever a name or a link says.</summary>
public sealed class ManifestFolder(IOptionsMonitor<ImportOptions> options)
{
    private static readonly string[] Extensions = [".csv", ".tsv", ".txt"];

    /// <summary>The full path of a manifest by its name within the directory. Throws <c>invalid_option</c>, alike for what is missing and what is not allowed.</summary>
    public string PathOf(string name)
    {
        if (options.CurrentValue.ManifestFolder is not { Length: > 0 } folder)
            throw new IngestionException(ErrorCodes.InvalidOption, "file: no directory of manifests is configured here (Ingestion:Import:ManifestFolder). Upload the manifest instead.");
        var root = Path.GetFullPath(folder);
        if (!Path.IsPathRooted(name) && !name.Contains('\0') && Extensions.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase)
            && Inside(root, Path.GetFullPath(Path.Combine(root, name))) is { } path && File.Exists(path))
            return path;
        throw new IngestionException(ErrorCodes.InvalidOption, "file: there is no such manifest in the configured directory.");
    }

    // Every step of the way is looked at: a link anywhere in it leads elsewhere.
    private static string? Inside(string root, string path)
    {
        if (!path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal)) return null;
        var at = root;
        foreach (var step in path[(root.Length + 1)..].Split(Path.DirectorySeparatorChar))
        {
            at = Path.Combine(at, step);
            if ((Directory.Exists(at) ? new DirectoryInfo(at) : (FileSystemInfo)new FileInfo(at)).LinkTarget is not null) return null;
        }
        return path;
    }
}
