using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>A file being sent, or sent, by a client. The row exists before the first byte; a sweep removes bytes whose row is dead.</summary>
public sealed class Upload
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    /// <summary>What the client knows it by: <c>up_</c> and a random key.</summary>
    public required string PublicId { get; set; }
    public long? BatchId { get; set; }
    /// <summary><c>file</c> (becomes an item) or <c>manifest</c> (is read for items).</summary>
    public required string Purpose { get; set; }
    /// <summary>The path as the client gave it, slashes forward: shown as text, never used as a file name.</summary>
    public required string Path { get; set; }
    public string? MediaType { get; set; }
    /// <summary>Declared length in bytes.</summary>
    public long Size { get; set; }
    /// <summary>Bytes on disk.</summary>
    public long Received { get; set; }
    /// <summary>Lower-case hexadecimal SHA-256; null until the last byte is there.</summary>
    public string? Sha256 { get; set; }
    public string Metadata { get; set; } = "{}";
    public required string CreatedBy { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset UpdatedAt { get; set; }
    public DateTimeOffset? CompletedAt { get; set; }
    /// <summary>The bytes are in the artifact store and no longer here.</summary>
    public DateTimeOffset? RemovedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<Upload>
    {
        public void Configure(EntityTypeBuilder<Upload> e)
        {
            e.ToTable("upload", t =>
            {
                t.HasCheckConstraint("upload_within_size", "received >= 0 AND received <= size");
                t.HasCheckConstraint("upload_complete_has_hash", "(completed_at IS NULL) = (sha256 IS NULL)");
            });
            e.Property(u => u.Metadata).HasColumnType("jsonb");
            e.Property(u => u.CreatedAt).HasDefaultValueSql("now()");
            e.Property(u => u.UpdatedAt).HasDefaultValueSql("now()");
            e.HasIndex(u => u.PublicId).IsUnique();
            e.HasIndex(u => new { u.BatchId, u.Purpose, u.Path }).IsUnique();
            e.HasOne<ImportBatch>().WithMany().HasForeignKey(u => new { u.TenantId, u.BatchId }).HasPrincipalKey(b => new { b.TenantId, b.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
