using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>What remains of the events and task runs of a batch that retention removed: how many of each, up to which number, and when.</summary>
public sealed class PrunedBatch
{
    public long BatchId { get; set; }
    public required string TenantId { get; set; }
    /// <summary>Events up to this number are, or are being, removed; 0 where none are. A retry goes on counting after it.</summary>
    public long LastSeq { get; set; }
    /// <summary>Events removed so far, by kind, as a JSON object of counts.</summary>
    public string Events { get; set; } = "{}";
    public DateTimeOffset? EventsPrunedAt { get; set; }
    /// <summary>Task runs up to this id are, or are being, removed; 0 where none are.</summary>
    public long LastTaskRun { get; set; }
    /// <summary>Task runs removed so far, by stage and state (<c>parse.failed</c>), as a JSON object of counts.</summary>
    public string TaskRuns { get; set; } = "{}";
    public DateTimeOffset? TaskRunsPrunedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<PrunedBatch>
    {
        public void Configure(EntityTypeBuilder<PrunedBatch> e)
        {
            e.ToTable("pruned_batch");
            e.HasKey(p => p.BatchId);
            e.Property(p => p.BatchId).ValueGeneratedNever();
            e.Property(p => p.LastSeq).HasDefaultValue(0L);
            e.Property(p => p.Events).HasColumnType("jsonb").HasDefaultValueSql("'{}'");
            e.Property(p => p.LastTaskRun).HasDefaultValue(0L);
            e.Property(p => p.TaskRuns).HasColumnType("jsonb").HasDefaultValueSql("'{}'");
            e.HasOne<ImportBatch>().WithMany().HasForeignKey(p => new { p.TenantId, p.BatchId }).HasPrincipalKey(b => new { b.TenantId, b.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
