namespace Ingestion.Core.Library;

/// <summary>A collection and what is published in it.</summary>
/// <param name="Documents">Documents that readers find.</param>
/// <param name="Chunks">Their chunks.</param>
/// <param name="EmbeddingModel">Null until the first document decides it.</param>
public sealed record CollectionView(
    long Id, string Key, string Name, string? Description, string? EmbeddingModel, DateTimeOffset CreatedAt,
    int Documents, long Chunks, DateTimeOffset? LastPublishedAt);

/// <summary>What a list of documents is narrowed to and how it is ordered.</summary>
/// <param name="Text">Part of the title or of the source key.</param>
public sealed record DocumentFilter(string? Text = null, DocumentOrder Order = DocumentOrder.Newest);

public enum DocumentOrder
{
    /// <summary>Last known first.</summary>
    Newest,
    Title,
    /// <summary>Most chunks first.</summary>
    Chunks,
    /// <summary>Last published first; what is not published comes last.</summary>
    Published,
}

/// <summary>A document in a list: as readers see it, or as its newest version would be seen.</summary>
/// <param name="PublishedAt">Null where no version of it is published.</param>
public sealed record DocumentRow(
    long Id, string Title, string SourceType, string SourceKey, string Format, int Characters, int Chunks, int Versions, DateTimeOffset? PublishedAt);

/// <summary>A document with where it comes from.</summary>
/// <param name="PublishedVersionId">The version that readers see; null where none is published.</param>
public sealed record DocumentView(
    long Id, string CollectionKey, string CollectionName, string SourceType, string SourceKey, DateTimeOffset CreatedAt,
    long? PublishedVersionId, DateTimeOffset? PublishedAt, IReadOnlyList<VersionView> Versions)
{
    /// <summary>The version to show when nobody chose one: the published one, else the newest.</summary>
    public VersionView? Shown => Versions.FirstOrDefault(v => v.Id == PublishedVersionId) ?? (Versions.Count > 0 ? Versions[0] : null);
}

/// <summary>One version of a document.</summary>
/// <param name="Sha256">Of the raw bytes, lower-case hexadecimal.</param>
/// <param name="Length">Raw bytes.</param>
/// <param name="Characters">Of its Markdown.</param>
/// <param name="Notes">Sentences on what was left out or repaired.</param>
/// <param name="Metadata">A JSON object of strings.</param>
public sealed record VersionView(
    long Id, long DocumentId, string Title, string Format, int ParserVersion, int? Pages, int Characters, int Chunks, string OptionsHash,
    string Sha256, long Length, string? MediaType, string? FinalUrl, DateTimeOffset FetchedAt, DateTimeOffset CreatedAt,
    IReadOnlyList<string> Notes, string Metadata);

public sealed record ChunkView(long Id, int Ordinal, string HeadingPath, string Text);

public sealed record LinkView(int Ordinal, string Target, string Text);

/// <summary>An item of a batch that carried a version of the document.</summary>
public sealed record OriginView(long ItemId, string BatchId, string BatchName, long VersionId, Pipeline.ItemState State, DateTimeOffset? CompletedAt);
