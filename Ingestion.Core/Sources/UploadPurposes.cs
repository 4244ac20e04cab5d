namespace Ingestion.Core.Sources;

/// <summary>What an upload is for, as rows and the API say it.</summary>
public static class UploadPurposes
{
    /// <summary>Becomes a document.</summary>
    public const string File = "file";

    /// <summary>A table of addresses, each of which becomes a document.</summary>
    public const string Manifest = "manifest";
}
