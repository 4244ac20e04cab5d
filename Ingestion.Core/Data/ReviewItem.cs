using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>Something a person is asked to decide. While it is open its item has a blocked task at review.</summary>
public sealed class ReviewItem
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long CollectionId { get; set; }
    public long BatchId { get; set; }
    public long ItemId { get; set; }
    /// <summary>A word of <c>ReviewStates</c>.</summary>
    public required string State { get; set; }
    /// <summary>Words of <c>ReviewReasons</c>: why a person is asked.</summary>
    public required List<string> Reasons { get; set; }
    /// <summary>The least sure of the record's links; null where nothing had to be linked.</summary>
    public double? Confidence { get; set; }
    public double? Quality { get; set; }
    /// <summary>The fence of decisions: one more with each; whoever decides names the one they saw.</summary>
    public int Version { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? DecidedAt { get; set; }
    public string? DecidedBy { get; set; }
    public string? DecisionReason { get; set; }
    /// <summary>Who looked and could not say; null where nobody did.</summary>
    public string? UnsureBy { get; set; }
    public string? UnsureReason { get; set; }
    public DateTimeOffset? UnsureAt { get; set; }
    /// <summary>The account that is to decide it; null where anybody may.</summary>
    public string? AssignedTo { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ReviewItem>
    {
        public void Configure(EntityTypeBuilder<ReviewItem> e)
        {
            e.ToTable("review_item", t =>
            {
                t.HasCheckConstraint("review_decided_has_time", "(state = 'open') = (decided_at IS NULL)");
                t.HasCheckConstraint("review_unsure_has_time", "(unsure_by IS NULL) = (unsure_at IS NULL)");
            });
            e.Property(r => r.Reasons).HasDefaultValueSql("'{}'");
            e.Property(r => r.Version).HasDefaultValue(1);
            e.Property(r => r.CreatedAt).HasDefaultValueSql("now()");
            e.HasAlternateKey(r => new { r.TenantId, r.Id });
            e.HasIndex(r => r.ItemId).IsUnique().HasFilter("state = 'open'").HasDatabaseName("review_item_one_open_per_item");
            e.HasIndex(r => new { r.ItemId, r.Id });
            e.HasIndex(r => new { r.TenantId, r.Id }).HasFilter("state = 'open'").HasDatabaseName("review_item_open");
            e.HasIndex(r => new { r.BatchId, r.Id });
            e.HasOne<ImportItem>().WithMany().HasForeignKey(r => new { r.TenantId, r.ItemId }).HasPrincipalKey(i => new { i.TenantId, i.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>What somebody decided, with what stood before: enough to take it back. Rows never change.</summary>
public sealed class ReviewDecision
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long BatchId { get; set; }
    public long ReviewId { get; set; }
    /// <summary>A word of <c>ReviewActions</c>.</summary>
    public required string Action { get; set; }
    public required string By { get; set; }
    public string? Reason { get; set; }
    /// <summary>What was changed, as it was: a JSON object.</summary>
    public required string Before { get; set; }
    /// <summary>What was chosen: a JSON object.</summary>
    public required string Chosen { get; set; }
    /// <summary>The decision that this one takes back.</summary>
    public long? Undoes { get; set; }
    /// <summary>The bulk decision that it is part of.</summary>
    public long? BulkId { get; set; }
    public DateTimeOffset At { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ReviewDecision>
    {
        public void Configure(EntityTypeBuilder<ReviewDecision> e)
        {
            e.ToTable("review_decision");
            e.Property(d => d.Before).HasColumnType("jsonb").HasDefaultValueSql("'{}'");
            e.Property(d => d.Chosen).HasColumnType("jsonb").HasDefaultValueSql("'{}'");
            e.Property(d => d.At).HasDefaultValueSql("now()");
            e.HasIndex(d => new { d.ReviewId, d.Id });
            e.HasIndex(d => d.Undoes).IsUnique().HasFilter("undoes IS NOT NULL");
            e.HasIndex(d => d.BulkId).HasFilter("bulk_id IS NOT NULL");
            e.HasOne<ReviewItem>().WithMany().HasForeignKey(d => new { d.TenantId, d.ReviewId }).HasPrincipalKey(r => new { r.TenantId, r.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>One decision over everything that a filter finds, carried out slice by slice; each slice commits how far it came.</summary>
public sealed class ReviewBulk
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    /// <summary>What the outside sees: <c>bulk_</c> and a random key.</summary>
    public required string PublicId { get; set; }
    public required string Action { get; set; }
    public string? Reason { get; set; }
    /// <summary>Which reviews, as JSON.</summary>
    public required string Filter { get; set; }
    /// <summary>What the person who asked reaches, as JSON.</summary>
    public required string Reach { get; set; }
    /// <summary><c>running</c> or <c>done</c>.</summary>
    public required string State { get; set; }
    /// <summary>Reviews that the filter found when it was asked; those that come later are not meant.</summary>
    public int Total { get; set; }
    public int Decided { get; set; }
    /// <summary>Those that somebody else decided first, or that could not be decided.</summary>
    public int PassedOver { get; set; }
    /// <summary>The last review that was looked at, and the last one that is meant.</summary>
    public long Cursor { get; set; }
    public long Through { get; set; }
    public required string CreatedBy { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? FinishedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ReviewBulk>
    {
        public void Configure(EntityTypeBuilder<ReviewBulk> e)
        {
            e.ToTable("review_bulk", t => t.HasCheckConstraint("bulk_done_has_time", "(state = 'done') = (finished_at IS NOT NULL)"));
            e.Property(b => b.Filter).HasColumnType("jsonb");
            e.Property(b => b.Reach).HasColumnType("jsonb");
            e.Property(b => b.CreatedAt).HasDefaultValueSql("now()");
            e.HasIndex(b => b.PublicId).IsUnique();
            e.HasIndex(b => b.Id).HasFilter("state = 'running'").HasDatabaseName("review_bulk_running");
            e.HasOne<Tenant>().WithMany().HasForeignKey(b => b.TenantId);
        }
    }
}
