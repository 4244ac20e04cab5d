using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>A piece of a document version: what is embedded and found. Its full-text row stands in chunk_fts, its vector in chunk_vector.</summary>
public sealed class ChunkRow
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long DocumentVersionId { get; set; }
    public int Ordinal { get; set; }
    public required string HeadingPath { get; set; }
    public required string Text { get; set; }
    /// <summary>SHA-256 of the embedding text: the key of its vector.</summary>
    public required byte[] TextHash { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ChunkRow>
    {
        public void Configure(EntityTypeBuilder<ChunkRow> e)
        {
            e.ToTable("chunk");
            e.HasIndex(c => new { c.DocumentVersionId, c.Ordinal }).IsUnique();
            e.HasIndex(c => new { c.TenantId, c.TextHash });
            e.HasOne<DocumentVersion>().WithMany().HasForeignKey(c => new { c.TenantId, c.DocumentVersionId }).HasPrincipalKey(v => new { v.TenantId, v.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>Vectors that may be compared with each other: one model, its dimensions and its version.</summary>
public sealed class EmbeddingGeneration
{
    public long Id { get; set; }
    public required string Model { get; set; }
    public int Dimensions { get; set; }
    public int Version { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<EmbeddingGeneration>
    {
        public void Configure(EntityTypeBuilder<EmbeddingGeneration> e)
        {
            e.ToTable("embedding_generation");
            e.Property(g => g.CreatedAt).HasDefaultValueSql("now()");
            e.HasIndex(g => new { g.Model, g.Dimensions, g.Version }).IsUnique();
        }
    }
}
