using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>What the resolve stage made of an item: its fields with their sources, links, candidates and reasons.</summary>
public sealed class ItemRecord
{
    public long ItemId { get; set; }
    public required string TenantId { get; set; }
    public long BatchId { get; set; }
    /// <summary>Null where the collection had none: then the item came here for its quality alone.</summary>
    public long? RecordTypeId { get; set; }
    public long DocumentVersionId { get; set; }
    /// <summary>The fields as a JSON array.</summary>
    public required string Fields { get; set; }
    /// <summary>The least sure of its links, 0 to 1; null where nothing had to be linked.</summary>
    public double? Confidence { get; set; }
    public DateTimeOffset ResolvedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ItemRecord>
    {
        public void Configure(EntityTypeBuilder<ItemRecord> e)
        {
            e.ToTable("item_record");
            e.HasKey(r => r.ItemId);
            e.Property(r => r.ItemId).ValueGeneratedNever();
            e.Property(r => r.Fields).HasColumnType("jsonb");
            e.Property(r => r.ResolvedAt).HasDefaultValueSql("now()");
            e.HasIndex(r => r.BatchId);
            e.HasOne<ImportItem>().WithMany().HasForeignKey(r => new { r.TenantId, r.ItemId }).HasPrincipalKey(i => new { i.TenantId, i.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
