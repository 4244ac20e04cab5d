using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>A place a document comes from, the same over all batches: kind, connection and key, never the name.</summary>
public sealed class Source
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long CollectionId { get; set; }
    public required string SourceType { get; set; }
    /// <summary>Empty for kinds without connections.</summary>
    public required string ConnectionId { get; set; }
    public required string SourceKey { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<Source>
    {
        public void Configure(EntityTypeBuilder<Source> e)
        {
            e.ToTable("source");
            e.Property(s => s.CreatedAt).HasDefaultValueSql("now()");
            e.HasAlternateKey(s => new { s.TenantId, s.Id });
            e.HasOne<Collection>().WithMany().HasForeignKey(s => new { s.TenantId, s.CollectionId }).HasPrincipalKey(c => new { c.TenantId, c.Id });
        }
    }
}

/// <summary>The bytes of a source at one time, known by their hash.</summary>
public sealed class SourceVersion
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long SourceId { get; set; }
    /// <summary>Lower-case hexadecimal SHA-256 of the bytes.</summary>
    public required string Sha256 { get; set; }
    public long Length { get; set; }
    public string? MediaType { get; set; }
    public string? Charset { get; set; }
    public string? FinalUrl { get; set; }
    public string? ETag { get; set; }
    public DateTimeOffset? LastModified { get; set; }
    /// <summary>Absolute URI of raw.bin, as it was when written.</summary>
    public required string RawUri { get; set; }
    public DateTimeOffset FetchedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<SourceVersion>
    {
        public void Configure(EntityTypeBuilder<SourceVersion> e)
        {
            e.ToTable("source_version");
            e.Property(v => v.FetchedAt).HasDefaultValueSql("now()");
            e.Property(v => v.ETag).HasColumnName("etag");
            e.HasAlternateKey(v => new { v.TenantId, v.Id });
            e.HasIndex(v => new { v.SourceId, v.Sha256 }).IsUnique();
            e.HasIndex(v => new { v.TenantId, v.Sha256 });
            e.HasOne<Source>().WithMany().HasForeignKey(v => new { v.TenantId, v.SourceId }).HasPrincipalKey(s => new { s.TenantId, s.Id });
        }
    }
}
