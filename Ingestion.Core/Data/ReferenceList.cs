using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>The entities of one type that documents of a collection refer to. Every change of them makes a version.</summary>
public sealed class ReferenceList
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long CollectionId { get; set; }
    /// <summary>What its entities are: <c>raga</c>, <c>composer</c>.</summary>
    public required string EntityType { get; set; }
    /// <summary>The newest version, from 1.</summary>
    public int Version { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ReferenceList>
    {
        public void Configure(EntityTypeBuilder<ReferenceList> e)
        {
            e.ToTable("reference_list");
            e.HasAlternateKey(l => new { l.TenantId, l.Id });
            e.HasIndex(l => new { l.CollectionId, l.EntityType }).IsUnique();
            e.HasOne<Collection>().WithMany().HasForeignKey(l => new { l.TenantId, l.CollectionId }).HasPrincipalKey(c => new { c.TenantId, c.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>How a version of a list came about.</summary>
public sealed class ReferenceVersion
{
    public required string TenantId { get; set; }
    public long ListId { get; set; }
    public int Version { get; set; }
    /// <summary>Entities of this version.</summary>
    public int Entities { get; set; }
    public int Added { get; set; }
    public int Changed { get; set; }
    public int Removed { get; set; }
    public required string LoadedBy { get; set; }
    public string? Note { get; set; }
    public DateTimeOffset LoadedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ReferenceVersion>
    {
        public void Configure(EntityTypeBuilder<ReferenceVersion> e)
        {
            e.ToTable("reference_version");
            e.HasKey(v => new { v.ListId, v.Version });
            e.Property(v => v.LoadedAt).HasDefaultValueSql("now()");
            e.HasOne<ReferenceList>().WithMany().HasForeignKey(v => new { v.TenantId, v.ListId }).HasPrincipalKey(l => new { l.TenantId, l.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>An entity as it was from one version of its list to another: a change closes this row and opens the next.</summary>
public sealed class ReferenceEntityRow
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long ListId { get; set; }
    public required string Key { get; set; }
    /// <summary>The first version that holds it.</summary>
    public int Since { get; set; }
    /// <summary>The first version that does not hold it any more; null while it is current.</summary>
    public int? Until { get; set; }
    public required string Name { get; set; }
    /// <summary>Other spellings with their certainty, as a JSON array.</summary>
    public required string Aliases { get; set; }
    public string? Parent { get; set; }
    public required string Attributes { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ReferenceEntityRow>
    {
        public void Configure(EntityTypeBuilder<ReferenceEntityRow> e)
        {
            e.ToTable("reference_entity", t => t.HasCheckConstraint("reference_entity_has_lived", "until > since"));
            e.Property(r => r.Aliases).HasColumnType("jsonb");
            e.Property(r => r.Attributes).HasColumnType("jsonb");
            e.HasIndex(r => new { r.ListId, r.Key }).IsUnique().HasFilter("until IS NULL").HasDatabaseName("reference_entity_current");
            e.HasIndex(r => new { r.ListId, r.Since });
            e.HasOne<ReferenceList>().WithMany().HasForeignKey(r => new { r.TenantId, r.ListId }).HasPrincipalKey(l => new { l.TenantId, l.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
