using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>
/// One thing a batch was asked to take in: a list of URLs, a manifest, later a site or a folder. Uploads are rows of their own.
/// Inputs whose items are not known at submission have a discover task.
/// </summary>
public sealed class ImportInput
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long BatchId { get; set; }
    /// <summary>Order in the submission, from 0.</summary>
    public int Ordinal { get; set; }
    /// <summary><c>url</c>, <c>manifest</c>, <c>upload</c> …</summary>
    public required string SourceType { get; set; }
    public string? ConnectionId { get; set; }
    /// <summary>What the connector needs, as JSON of its own shape.</summary>
    public required string Spec { get; set; }
    /// <summary>Open until every item of it is known.</summary>
    public ItemState State { get; set; } = ItemState.Open;
    /// <summary>Items found so far.</summary>
    public int Discovered { get; set; }
    /// <summary>Where discovery continues after an interruption, in the connector's own words.</summary>
    public string? Cursor { get; set; }
    public string? ErrorCode { get; set; }
    public string? ErrorMessage { get; set; }
    public DateTimeOffset? CompletedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ImportInput>
    {
        public void Configure(EntityTypeBuilder<ImportInput> e)
        {
            e.ToTable("import_input", t => t.HasCheckConstraint("input_final_has_time", "(state = 'open') = (completed_at IS NULL)"));
            e.Property(i => i.Spec).HasColumnType("jsonb");
            e.HasAlternateKey(i => new { i.TenantId, i.Id });
            e.HasIndex(i => new { i.BatchId, i.Ordinal }).IsUnique();
            e.HasIndex(i => i.BatchId).HasFilter("state = 'open'").HasDatabaseName("import_input_open");
            e.HasOne<ImportBatch>().WithMany().HasForeignKey(i => new { i.TenantId, i.BatchId }).HasPrincipalKey(b => new { b.TenantId, b.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
