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
    /// <summary><c>web</c>, <c>worker</c> or <c>both</c>.</summary>
    public required string Role { get; set; }
    public required string Version { get; set; }
    /// <summary>The stages it serves with its slots for each, as a JSON object: <c>{"parse": 3}</c>; empty for one that serves pages alone.</summary>
    public string Slots { get; set; } = "{}";
    /// <summary>Database connections that its pools may open.</summary>
    public int Connections { get; set; }
    public DateTimeOffset StartedAt { get; set; }
    public DateTimeOffset LastSeenAt { get; set; }
    public DateTimeOffset? StoppedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<WorkerProcess>
    {
        public void Configure(EntityTypeBuilder<WorkerProcess> e)
        {
            e.ToTable("worker_process");
            e.Property(w => w.Slots).HasColumnType("jsonb").HasDefaultValueSql("'{}'");
            e.Property(w => w.Connections).HasDefaultValue(0);
            e.Property(w => w.StartedAt).HasDefaultValueSql("now()");
            e.Property(w => w.LastSeenAt).HasDefaultValueSql("now()");
        }
    }
}
