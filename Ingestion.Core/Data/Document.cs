using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>What readers find: one per source. Which version they see is the newest <see cref="Publication"/> that is not revoked.</summary>
public sealed class Document
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long CollectionId { get; set; }
    public long SourceId { get; set; }
    /// <summary>The version whose bytes stand at the published artifact names; behind the publication only for a moment.</summary>
    public long? ExportedVersionId { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<Document>
    {
        public void Configure(EntityTypeBuilder<Document> e)
        {
            e.ToTable("document");
            e.Property(d => d.CreatedAt).HasDefaultValueSql("now()");
            e.HasAlternateKey(d => new { d.TenantId, d.Id });
            e.HasIndex(d => d.SourceId).IsUnique();
            e.HasIndex(d => new { d.TenantId, d.CollectionId, d.Id });
            e.HasOne<Source>().WithMany().HasForeignKey(d => new { d.TenantId, d.SourceId }).HasPrincipalKey(s => new { s.TenantId, s.Id });
        }
    }
}

/// <summary>A source version parsed and chunked under one set of options.</summary>
public sealed class DocumentVersion
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long DocumentId { get; set; }
    public long SourceVersionId { get; set; }
    /// <summary>SHA-256 of the options that change the output, and of the parser's version.</summary>
    public required string OptionsHash { get; set; }
    public required string Title { get; set; }
    public required string Format { get; set; }
    public int ParserVersion { get; set; }
    public int? Pages { get; set; }
    /// <summary>Characters of the Markdown.</summary>
    public int Characters { get; set; }
    public int ChunkCount { get; set; }
    /// <summary>Sentences on what was left out or repaired, as a JSON array.</summary>
    public required string Notes { get; set; }
    /// <summary>Names and values of the item that made it, as a JSON object: filterable in search.</summary>
    public required string Metadata { get; set; }
    /// <summary>How readable it is, 0 to 1: see <c>DocumentQuality</c>. Null for versions made before it was measured.</summary>
    public double? Quality { get; set; }
    /// <summary>What the quality consists of, as a JSON object of numbers from 0 to 1.</summary>
    public string? QualityParts { get; set; }
    public required string MarkdownUri { get; set; }
    public required string RecordUri { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<DocumentVersion>
    {
        public void Configure(EntityTypeBuilder<DocumentVersion> e)
        {
            e.ToTable("document_version");
            e.Property(v => v.Notes).HasColumnType("jsonb");
            e.Property(v => v.Metadata).HasColumnType("jsonb");
            e.Property(v => v.QualityParts).HasColumnType("jsonb");
            e.Property(v => v.CreatedAt).HasDefaultValueSql("now()");
            e.HasAlternateKey(v => new { v.TenantId, v.Id });
            e.HasIndex(v => new { v.SourceVersionId, v.OptionsHash }).IsUnique();
            e.HasIndex(v => v.DocumentId);
            e.HasOne<Document>().WithMany().HasForeignKey(v => new { v.TenantId, v.DocumentId }).HasPrincipalKey(d => new { d.TenantId, d.Id });
            e.HasOne<SourceVersion>().WithMany().HasForeignKey(v => new { v.TenantId, v.SourceVersionId }).HasPrincipalKey(s => new { s.TenantId, s.Id });
        }
    }
}

/// <summary>Makes a version the one that readers see. Undo and delete revoke; nothing is overwritten.</summary>
public sealed class Publication
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long DocumentId { get; set; }
    public long DocumentVersionId { get; set; }
    public long BatchId { get; set; }
    public DateTimeOffset PublishedAt { get; set; }
    public DateTimeOffset? RevokedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<Publication>
    {
        public void Configure(EntityTypeBuilder<Publication> e)
        {
            e.ToTable("publication");
            e.Property(p => p.PublishedAt).HasDefaultValueSql("now()");
            e.HasIndex(p => new { p.DocumentId, p.Id }).HasFilter("revoked_at IS NULL").HasDatabaseName("publication_live");
            e.HasIndex(p => p.DocumentVersionId);
            e.HasOne<DocumentVersion>().WithMany().HasForeignKey(p => new { p.TenantId, p.DocumentVersionId }).HasPrincipalKey(v => new { v.TenantId, v.Id });
        }
    }
}

/// <summary>A link that a document version holds.</summary>
public sealed class DocumentLink
{
    public long DocumentVersionId { get; set; }
    /// <summary>Order of first appearance, from 0.</summary>
    public int Ordinal { get; set; }
    public required string TenantId { get; set; }
    public required string Target { get; set; }
    public required string Text { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<DocumentLink>
    {
        public void Configure(EntityTypeBuilder<DocumentLink> e)
        {
            e.ToTable("document_link");
            e.HasKey(l => new { l.DocumentVersionId, l.Ordinal });
            e.HasOne<DocumentVersion>().WithMany().HasForeignKey(l => new { l.TenantId, l.DocumentVersionId }).HasPrincipalKey(v => new { v.TenantId, v.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
