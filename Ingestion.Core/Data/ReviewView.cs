using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>A filter of the review queue that a person keeps under a name. Nobody else sees it.</summary>
public sealed class ReviewView
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    /// <summary>The account that keeps it.</summary>
    public required string Owner { get; set; }
    public required string Name { get; set; }
    /// <summary>Which reviews, as JSON.</summary>
    public required string Filter { get; set; }
    /// <summary>A word of <c>ReviewOrder</c>.</summary>
    public required string Sort { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ReviewView>
    {
        public void Configure(EntityTypeBuilder<ReviewView> e)
        {
            e.ToTable("review_view");
            e.Property(v => v.Filter).HasColumnType("jsonb");
            e.Property(v => v.CreatedAt).HasDefaultValueSql("now()");
            e.HasIndex(v => new { v.TenantId, v.Owner, v.Name }).IsUnique();
            e.HasOne<Tenant>().WithMany().HasForeignKey(v => v.TenantId);
        }
    }
}
