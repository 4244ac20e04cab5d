using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>A searchable set of documents. Batches fill one collection each.</summary>
public sealed class Collection
{
    public const string DefaultKey = "default";

    public long Id { get; set; }
    public required string TenantId { get; set; }
    /// <summary>Readable and unique in its tenant; what APIs and URLs say.</summary>
    public required string Key { get; set; }
    public required string Name { get; set; }
    public string? Description { get; set; }
    /// <summary>The embedding model of this collection; null lets the installation's default decide.</summary>
    public string? EmbeddingModel { get; set; }
    /// <summary>What its documents are records of; null where they are documents and nothing else.</summary>
    public long? RecordTypeId { get; set; }
    /// <summary>Rows of manifests may pass without a person where they are sure enough; until then each one is reviewed.</summary>
    public bool AutoAccept { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<Collection>
    {
        public void Configure(EntityTypeBuilder<Collection> e)
        {
            e.ToTable("collection", t => t.HasCheckConstraint("collection_key_is_a_word", "key ~ '^[a-z0-9][a-z0-9_-]{0,62}$'"));
            e.Property(c => c.CreatedAt).HasDefaultValueSql("now()");
            e.Property(c => c.AutoAccept).HasDefaultValue(false);
            e.HasAlternateKey(c => new { c.TenantId, c.Id });
            e.HasIndex(c => new { c.TenantId, c.Key }).IsUnique();
            e.HasOne<Tenant>().WithMany().HasForeignKey(c => c.TenantId);
        }
    }
}
