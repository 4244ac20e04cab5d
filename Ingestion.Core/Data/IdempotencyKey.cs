using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>Remembers for 24 hours what a caller's key created, so that a repeated request gets the first one's answer.</summary>
public sealed class IdempotencyKey
{
    public required string TenantId { get; set; }
    public required string Caller { get; set; }
    public required string Key { get; set; }
    /// <summary>SHA-256 of the request; the same key with another request is refused.</summary>
    public required byte[] RequestHash { get; set; }
    public long BatchId { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<IdempotencyKey>
    {
        public void Configure(EntityTypeBuilder<IdempotencyKey> e)
        {
            e.ToTable("idempotency_key");
            e.HasKey(k => new { k.TenantId, k.Caller, k.Key });
            e.Property(k => k.CreatedAt).HasDefaultValueSql("now()");
            e.HasOne<ImportBatch>().WithMany().HasForeignKey(k => new { k.TenantId, k.BatchId }).HasPrincipalKey(b => new { b.TenantId, b.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
