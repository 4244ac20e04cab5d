using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>
/// A stored file. The row is written first, as an intent; it becomes live in the transaction that refers to the file.
/// A sweep removes files whose intent never became live.
/// </summary>
public sealed class Artifact
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public required string Uri { get; set; }
    /// <summary><c>raw</c>, <c>markdown</c> or <c>record</c>.</summary>
    public required string Kind { get; set; }
    public long? Length { get; set; }
    public string? Sha256 { get; set; }
    public bool Live { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<Artifact>
    {
        public void Configure(EntityTypeBuilder<Artifact> e)
        {
            e.ToTable("artifact", t => t.HasCheckConstraint("live_is_measured", "NOT live OR (length IS NOT NULL AND sha256 IS NOT NULL)"));
            e.Property(a => a.CreatedAt).HasDefaultValueSql("now()");
            e.HasIndex(a => a.Uri).IsUnique();
            e.HasIndex(a => a.CreatedAt).HasFilter("NOT live").HasDatabaseName("artifact_intent");
        }
    }
}
