using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>One stage of one batch: the row that the claim locks to share workers fairly.</summary>
public sealed class ImportJob
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long BatchId { get; set; }
    public Stage Stage { get; set; }
    /// <summary>Claims look only at active jobs: the batch is started, wanted to run and not ended.</summary>
    public bool Active { get; set; }
    /// <summary>When a claim last took from it (at first: when it became active). The job served longest ago is served next.</summary>
    public DateTimeOffset ServedAt { get; set; }
    /// <summary>
    /// Shifts its turn by priority: urgent is served as if it had waited a minute longer, low a minute shorter. So lower still comes,
    /// and ageing needs no bookkeeping.
    /// </summary>
    public TimeSpan TurnShift { get; set; }
    /// <summary>
    /// The batch is small (<see cref="BatchSize.Small"/> items at most, all of them known): somebody waits for it, and it may use
    /// the slots that large ones must leave free.
    /// </summary>
    public bool Small { get; set; }
    /// <summary>Tasks of the batch, over all its stages, that may run at once.</summary>
    public int MaxWorkers { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ImportJob>
    {
        public void Configure(EntityTypeBuilder<ImportJob> e)
        {
            // served_at changes with every claim: leave room for updates in place
            e.ToTable("import_job").HasStorageParameter("fillfactor", 50);
            e.Property(j => j.ServedAt).HasDefaultValueSql("now()");
            // With the batch in it, a task cannot refer to another batch's job, and the tasks' index by batch serves the foreign key.
            e.HasAlternateKey(j => new { j.TenantId, j.BatchId, j.Id });
            e.HasIndex(j => new { j.BatchId, j.Stage }).IsUnique();
            e.HasIndex(j => j.Stage).HasFilter("active").HasDatabaseName("import_job_active");
            e.HasOne<ImportBatch>().WithMany().HasForeignKey(j => new { j.TenantId, j.BatchId }).HasPrincipalKey(b => new { b.TenantId, b.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
