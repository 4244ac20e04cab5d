using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>Who asked for what. Append only, apart from events, which say what the system did.</summary>
public sealed class AuditEntry
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public DateTimeOffset At { get; set; }
    public required string Who { get; set; }
    /// <summary>A verb: <c>start</c>, <c>pause</c>, <c>retry</c> …</summary>
    public required string Action { get; set; }
    /// <summary>What it was done to: <c>batch job_…</c>, <c>item 12</c>.</summary>
    public required string Target { get; set; }
    public string? Reason { get; set; }
    /// <summary>Old and new values as a JSON object. Never a secret.</summary>
    public string? Data { get; set; }
    /// <summary>The network address it was asked from; null where it was the machine itself.</summary>
    public string? Address { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<AuditEntry>
    {
        public void Configure(EntityTypeBuilder<AuditEntry> e)
        {
            e.ToTable("audit_entry");
            e.Property(a => a.At).HasDefaultValueSql("now()");
            e.Property(a => a.Data).HasColumnType("jsonb");
            e.HasIndex(a => new { a.TenantId, a.At });
        }
    }
}
