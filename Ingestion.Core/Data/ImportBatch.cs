using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>One submission: what somebody asked to have ingested, with its options and its control state.</summary>
public sealed class ImportBatch
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    /// <summary>What the outside sees: <c>job_</c> and 16 characters of a random key.</summary>
    public required string PublicId { get; set; }
    public Guid Uuid { get; set; }
    public long CollectionId { get; set; }
    public required string Name { get; set; }
    public string? Description { get; set; }
    public Priority Priority { get; set; } = Priority.Normal;
    public BatchState State { get; set; } = BatchState.Pending;
    public DesiredState DesiredState { get; set; } = DesiredState.Run;
    /// <summary>Still being put together in the wizard.</summary>
    public bool Draft { get; set; }
    public bool AutoStart { get; set; }
    /// <summary>The processing options as JSON.</summary>
    public required string Options { get; set; }
    public required string CreatedBy { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? StartedAt { get; set; }
    public DateTimeOffset? CompletedAt { get; set; }
    public DateTimeOffset? DeletedAt { get; set; }
    /// <summary>How often it has ended: a retry of an ended batch leads to another end. Counted by a trigger.</summary>
    public int Endings { get; set; }
    /// <summary>The counts as they were when the batch ended, as JSON; null while it runs.</summary>
    public string? FinalCounts { get; set; }
    /// <summary>A sentence for the end: <c>Nothing was found</c>.</summary>
    public string? Message { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ImportBatch>
    {
        public void Configure(EntityTypeBuilder<ImportBatch> e)
        {
            e.ToTable("import_batch", t =>
            {
                t.HasCheckConstraint("batch_final_has_time", "(state IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL)");
                t.HasCheckConstraint("batch_draft_is_pending", "NOT draft OR state = 'pending'");
            });
            e.Property(b => b.CreatedAt).HasDefaultValueSql("now()");
            e.Property(b => b.Endings).HasDefaultValue(0);
            e.Property(b => b.Uuid).HasDefaultValueSql("gen_random_uuid()");
            e.Property(b => b.Options).HasColumnType("jsonb");
            e.Property(b => b.FinalCounts).HasColumnType("jsonb");
            e.HasAlternateKey(b => new { b.TenantId, b.Id });
            e.HasIndex(b => b.PublicId).IsUnique();
            e.HasIndex(b => b.Uuid).IsUnique();
            e.HasIndex(b => new { b.TenantId, b.CreatedAt });
            e.HasIndex(b => new { b.State, b.Id }).HasFilter("state NOT IN ('completed', 'failed', 'cancelled')").HasDatabaseName("import_batch_open");
            e.HasOne<Collection>().WithMany().HasForeignKey(b => new { b.TenantId, b.CollectionId }).HasPrincipalKey(c => new { c.TenantId, c.Id });
        }
    }
}
