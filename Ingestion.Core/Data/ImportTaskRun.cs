using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>An item (or an input being discovered) at one stage: the row that is claimed. Final rows never change.</summary>
public sealed class ImportTaskRun
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long BatchId { get; set; }
    public long JobId { get; set; }
    public long? ItemId { get; set; }
    public long? InputId { get; set; }
    public Stage Stage { get; set; }
    public TaskState State { get; set; } = TaskState.Ready;
    /// <summary>The fence: one more with every claim, never reset. Every later write names it.</summary>
    public int Attempt { get; set; }
    /// <summary>Charged failures: the retry budget.</summary>
    public int Failures { get; set; }
    /// <summary>Times that the worker's process died while holding it; three quarantine it.</summary>
    public int Crashes { get; set; }
    public DateTimeOffset ScheduledAt { get; set; }
    /// <summary>Why <see cref="ScheduledAt"/> lies ahead: <c>host_pacing</c>, <c>retry</c>, <c>same_content</c> …</summary>
    public string? WaitReason { get; set; }
    public DateTimeOffset? LeaseUntil { get; set; }
    /// <summary>The process that holds, or last held, it.</summary>
    public string? Worker { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? ClaimedAt { get; set; }
    public DateTimeOffset? FinishedAt { get; set; }
    public string? ErrorCode { get; set; }
    public string? ErrorMessage { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ImportTaskRun>
    {
        public void Configure(EntityTypeBuilder<ImportTaskRun> e)
        {
            e.ToTable("import_task_run", t =>
            {
                t.HasCheckConstraint("running_has_lease", "(state = 'running') = (lease_until IS NOT NULL)");
                t.HasCheckConstraint("final_has_timestamp", "(state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)");
                t.HasCheckConstraint("item_or_input", "(item_id IS NULL) <> (input_id IS NULL)");
                t.HasCheckConstraint("discover_has_input", "(stage = 'discover') = (input_id IS NOT NULL)");
                t.HasCheckConstraint("counts_are_counts", "attempt >= 0 AND failures >= 0 AND crashes >= 0 AND failures + crashes <= attempt");
            }).HasStorageParameter("fillfactor", 80);
            e.Property(t => t.CreatedAt).HasDefaultValueSql("now()");
            e.Property(t => t.ScheduledAt).HasDefaultValueSql("now()");
            // What is due first comes first: a claim never steps over tasks that wait for their time.
            e.HasIndex(t => new { t.JobId, t.ScheduledAt, t.Id }).HasFilter("state = 'ready'").HasDatabaseName("import_task_run_ready");
            // Named where they are made: without a name of its own an index over the same column replaces the one before. What runs in all is
            // little: the sweep for expired leases reads all of it, so that a heartbeat changes no index.
            e.HasIndex(t => t.BatchId, "import_task_run_running_batch").HasFilter("state = 'running'");
            e.HasIndex(t => t.BatchId, "import_task_run_open_batch").HasFilter("state IN ('ready', 'running')");
            e.HasIndex(t => t.ItemId).IsUnique().HasFilter("state IN ('ready', 'running', 'blocked')").HasDatabaseName("import_task_run_one_open_per_item");
            e.HasIndex(t => t.InputId).IsUnique().HasFilter("input_id IS NOT NULL AND state IN ('ready', 'running', 'blocked')").HasDatabaseName("import_task_run_one_open_per_input");
            e.HasIndex(t => new { t.InputId, t.Id }).HasFilter("input_id IS NOT NULL").HasDatabaseName("import_task_run_input");
            e.HasIndex(t => new { t.ItemId, t.Id }).HasDatabaseName("import_task_run_item");
            e.HasIndex(t => new { t.BatchId, t.Id }).HasDatabaseName("import_task_run_batch");
            // Foreign keys to job, item and input are in the migrations: here each would bring an index of its own, and every claim and every
            // settling writes each index of this table anew.
        }
    }
}
