namespace Ingestion.Core.Sources;

/// <summary>What an upload is for, as rows and the API say it.</summary>
public static class UploadPurposes
{
    /// <summary>Becomes a document.</summary>
    public const string File = "file";

    /// <summary>A table of addresses, each of which becomes a document.</summary>
    public const string Manifest = "manifest";

    /// <summary>A zip archive, each of whose files becomes a document; what a <see cref="File"/> of such a name is when its batch is launched.</summary>
    public const string Archive = "archive";

    /// <summary>True for a name that says that the file is an archive.</summary>
    public static bool IsArchive(string path) => path.EndsWith(".zip", StringComparison.OrdinalIgnoreCase);
}
