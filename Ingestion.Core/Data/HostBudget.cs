using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>How fast a host may be asked, shared by all processes.</summary>
public sealed class HostBudget
{
    /// <summary>Host and port, lower case: <c>example.org:443</c>.</summary>
    public required string Host { get; set; }
    /// <summary>Null: the installation's default.</summary>
    public int? RequestsPerMinute { get; set; }
    /// <summary>The earliest moment for the next request.</summary>
    public DateTimeOffset NextAt { get; set; }
    /// <summary>The host asked us to stay away until then.</summary>
    public DateTimeOffset? PausedUntil { get; set; }
    /// <summary>When a person last changed the rate: turns given before do not count any more.</summary>
    public DateTimeOffset? ChangedAt { get; set; }
    /// <summary>The account that changed it.</summary>
    public string? ChangedBy { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<HostBudget>
    {
        public void Configure(EntityTypeBuilder<HostBudget> e)
        {
            e.ToTable("host_budget").HasStorageParameter("fillfactor", 50);
            e.HasKey(h => h.Host);
        }
    }
}
