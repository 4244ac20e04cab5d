namespace Ingestion.Core.Artifacts;

/// <summary>
/// The layout of the store. The contract names under <c>(tenant)/(source)/(source_version)</c> hold what is published; each document
/// version keeps its own copy beside them.
/// </summary>
public static class ArtifactKeys
{
    /// <summary>Longest key, in characters.</summary>
    public const int MaxLength = 512;

    private const int MaxSegmentLength = 128;

    /// <summary>The bytes as they came.</summary>
    public static string Raw(string tenant, string source, string sourceVersion) => Join(tenant, source, sourceVersion, "raw.bin");

    /// <summary>The published Markdown.</summary>
    public static string Markdown(string tenant, string source, string sourceVersion) => Join(tenant, source, sourceVersion, "normalized.md");

    /// <summary>How the published Markdown came about.</summary>
    public static string Record(string tenant, string source, string sourceVersion) =>
        Join(tenant, source, sourceVersion, "artifacts", "ingestion.json");

    /// <summary>The Markdown of one document version, published or not.</summary>
    public static string VersionMarkdown(string tenant, string source, string sourceVersion, string documentVersion) =>
        Join(tenant, source, sourceVersion, "artifacts", documentVersion, "normalized.md");

    /// <summary>How the Markdown of one document version came about.</summary>
    public static string VersionRecord(string tenant, string source, string sourceVersion, string documentVersion) =>
        Join(tenant, source, sourceVersion, "artifacts", documentVersion, "ingestion.json");

    /// <summary>
    /// True for a relative path of safe segments: letters, digits, <c>-</c>, <c>_</c> and <c>.</c>, not beginning with a dot or ending
    /// with one, so that no key leaves the store or means two things on two file systems.
    /// </summary>
    public static bool IsValid(string key) => key.Length is > 0 and <= MaxLength && key.Split('/').All(IsValidSegment);

    private static bool IsValidSegment(string segment) =>
        segment.Length is > 0 and <= MaxSegmentLength && segment[0] != '.' && segment[^1] != '.'
        && segment.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');

    private static string Join(params string[] segments)
    {
        var key = string.Join('/', segments);
        // Counted again, so that a slash inside a segment does not pass as two.
        return IsValid(key) && key.Count(c => c == '/') == segments.Length - 1
            ? key
            : throw new ArgumentException($"'{key}' is not a key of the artifact store.");
    }
}
