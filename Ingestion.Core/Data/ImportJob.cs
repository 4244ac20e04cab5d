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
    /// <summary>Submission time in milliseconds since 1970, less a bonus for priority: the smaller, the sooner.</summary>
    public long Rank { get; set; }
    /// <summary>When a claim last took from it; the job served longest ago is served next.</summary>
    public DateTimeOffset? ServedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ImportJob>
    {
        public void Configure(EntityTypeBuilder<ImportJob> e)
        {
            // served_at changes with every claim: leave room for updates in place
            e.ToTable("import_job").HasStorageParameter("fillfactor", 50);
            e.HasAlternateKey(j => new { j.TenantId, j.Id });
            e.HasIndex(j => new { j.BatchId, j.Stage }).IsUnique();
            e.HasIndex(j => j.Stage).HasFilter("active").HasDatabaseName("import_job_active");
            e.HasOne<ImportBatch>().WithMany().HasForeignKey(j => new { j.TenantId, j.BatchId }).HasPrincipalKey(b => new { b.TenantId, b.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
