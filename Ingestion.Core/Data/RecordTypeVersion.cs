using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>What documents of a collection are records of, as it was set once. Rows never change; the collection names the one that counts.</summary>
public sealed class RecordTypeVersion
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long CollectionId { get; set; }
    /// <summary>The record type as JSON.</summary>
    public required string Spec { get; set; }
    public required string CreatedBy { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<RecordTypeVersion>
    {
        public void Configure(EntityTypeBuilder<RecordTypeVersion> e)
        {
            e.ToTable("record_type");
            e.Property(r => r.Spec).HasColumnType("jsonb");
            e.Property(r => r.CreatedAt).HasDefaultValueSql("now()");
            e.HasIndex(r => new { r.CollectionId, r.Id });
            e.HasOne<Collection>().WithMany().HasForeignKey(r => new { r.TenantId, r.CollectionId }).HasPrincipalKey(c => new { c.TenantId, c.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
