using Ingestion.Core.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>What a person is in a tenant, and how much of it is in reach.</summary>
public sealed class Membership
{
    public required string TenantId { get; set; }
    public required string AccountId { get; set; }
    public Role Role { get; set; }
    /// <summary>Ids of the collections in reach; null for all.</summary>
    public List<long>? Collections { get; set; }
    /// <summary>Ids of the connections in reach; null for all.</summary>
    public List<string>? Connections { get; set; }
    /// <summary>Only batches that the person handed in.</summary>
    public bool OwnBatches { get; set; }
    /// <summary>Comes from the provider's roles and groups, and follows them at each sign-in.</summary>
    public bool ByProvider { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    public Narrowing Narrowing => new(Collections, Connections, OwnBatches);

    private sealed class Configuration : IEntityTypeConfiguration<Membership>
    {
        public void Configure(EntityTypeBuilder<Membership> e)
        {
            e.ToTable("membership");
            e.HasKey(m => new { m.TenantId, m.AccountId });
            e.Ignore(m => m.Narrowing);
            e.Property(m => m.CreatedAt).HasDefaultValueSql("now()");
            e.HasIndex(m => m.AccountId);
            e.HasOne<Tenant>().WithMany().HasForeignKey(m => m.TenantId);
            e.HasOne<Account>().WithMany().HasForeignKey(m => m.AccountId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>A link that lets somebody make an account, once. Only the token's hash is kept.</summary>
public sealed class Invitation
{
    public required string Id { get; set; }
    public required string TenantId { get; set; }
    public required byte[] TokenHash { get; set; }
    public required string Name { get; set; }
    public Role Role { get; set; }
    public required string CreatedBy { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset ExpiresAt { get; set; }
    public DateTimeOffset? AcceptedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<Invitation>
    {
        public void Configure(EntityTypeBuilder<Invitation> e)
        {
            e.ToTable("invitation");
            e.Property(i => i.CreatedAt).HasDefaultValueSql("now()");
            e.HasIndex(i => i.TokenHash).IsUnique();
            e.HasIndex(i => i.TenantId);
            e.HasOne<Tenant>().WithMany().HasForeignKey(i => i.TenantId);
        }
    }
}
