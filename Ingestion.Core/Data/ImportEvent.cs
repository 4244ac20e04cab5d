using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>A fact about a batch, numbered 1, 2, 3 … in the order of commit. Never changed, never removed one by one.</summary>
public sealed class ImportEvent
{
    public long BatchId { get; set; }
    public long Seq { get; set; }
    public required string TenantId { get; set; }
    public DateTimeOffset At { get; set; }
    /// <summary>One of the kinds in Events/EventKinds.</summary>
    public required string Kind { get; set; }
    public long? ItemId { get; set; }
    public long? TaskId { get; set; }
    public string? Stage { get; set; }
    /// <summary>What else belongs to the fact, as a JSON object; null for nothing.</summary>
    public string? Data { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ImportEvent>
    {
        public void Configure(EntityTypeBuilder<ImportEvent> e)
        {
            e.ToTable("import_event");
            e.HasKey(x => new { x.BatchId, x.Seq });
            e.Property(x => x.At).HasDefaultValueSql("now()");
            e.Property(x => x.Data).HasColumnType("jsonb");
            e.HasIndex(x => new { x.ItemId, x.Seq }).HasFilter("item_id IS NOT NULL");
        }
    }
}
