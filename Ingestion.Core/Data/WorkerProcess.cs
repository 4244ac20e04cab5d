using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>A process of this product that works, or worked, on this database.</summary>
public sealed class WorkerProcess
{
    /// <summary>Machine, process number and a random part.</summary>
    public required string Id { get; set; }
    public required string Host { get; set; }
    public int Pid { get; set; }
    public required string Role { get; set; }
    public required string Version { get; set; }
    public DateTimeOffset StartedAt { get; set; }
    public DateTimeOffset LastSeenAt { get; set; }
    public DateTimeOffset? StoppedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<WorkerProcess>
    {
        public void Configure(EntityTypeBuilder<WorkerProcess> e)
        {
            e.ToTable("worker_process");
            e.Property(w => w.StartedAt).HasDefaultValueSql("now()");
            e.Property(w => w.LastSeenAt).HasDefaultValueSql("now()");
        }
    }
}
