using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>One document of a batch, from the moment it is known to the moment it is searchable or is known not to be.</summary>
public sealed class ImportItem
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long BatchId { get; set; }
    public long? InputId { get; set; }
    public required string SourceType { get; set; }
    public string? ConnectionId { get; set; }
    /// <summary>What the source calls it: the URL, or the relative path of an upload.</summary>
    public required string SourceKey { get; set; }
    /// <summary>Row in its manifest, else 0: two rows may name one URL, and neither is lost.</summary>
    public int Row { get; set; }
    public required string Name { get; set; }
    public long? UploadId { get; set; }
    /// <summary>Names and values given with the submission, as a JSON object of strings.</summary>
    public required string Metadata { get; set; }
    /// <summary>Bytes, once known.</summary>
    public long? Size { get; set; }
    public ItemState State { get; set; } = ItemState.Open;
    /// <summary>The stage it is in, or ended in.</summary>
    public Stage Stage { get; set; } = Stage.Acquire;
    public ItemStep Step { get; set; } = ItemStep.Pending;
    public int ProgressCurrent { get; set; }
    public int? ProgressTotal { get; set; }
    public string? ProgressMessage { get; set; }
    public string? ErrorCode { get; set; }
    public string? ErrorMessage { get; set; }
    /// <summary>The technical trace, as JSON, for operators.</summary>
    public string? ErrorDetails { get; set; }
    public long? SourceVersionId { get; set; }
    public long? DocumentVersionId { get; set; }
    /// <summary>Whose vectors its chunks refer to; set when they are all there.</summary>
    public long? GenerationId { get; set; }
    public int? ChunkCount { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? StartedAt { get; set; }
    public DateTimeOffset? CompletedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ImportItem>
    {
        public void Configure(EntityTypeBuilder<ImportItem> e)
        {
            e.ToTable("import_item", t =>
            {
                t.HasCheckConstraint("item_final_has_time", "(state = 'open') = (completed_at IS NULL)");
                t.HasCheckConstraint("item_failed_has_code", "state <> 'failed' OR error_code IS NOT NULL");
                t.HasCheckConstraint("item_progress_in_bounds", "progress_current >= 0 AND (progress_total IS NULL OR progress_current <= progress_total)");
            // Each stage updates the row in place where its page has room, and tasks that settle together sit on one page.
            }).HasStorageParameter("fillfactor", 50);
            e.Property(i => i.Metadata).HasColumnType("jsonb");
            e.Property(i => i.ErrorDetails).HasColumnType("jsonb");
            e.Property(i => i.ProgressMessage).HasMaxLength(255);
            e.Property(i => i.CreatedAt).HasDefaultValueSql("now()");
            e.HasAlternateKey(i => new { i.TenantId, i.Id });
            e.HasIndex(i => new { i.BatchId, i.State, i.Id });
            e.HasIndex(i => i.DocumentVersionId).HasFilter("document_version_id IS NOT NULL");
            e.HasIndex(i => i.UploadId).HasFilter("upload_id IS NOT NULL");
            // The foreign key to the batch is in the migrations: here it would bring an index beside the one above.
        }
    }
}
