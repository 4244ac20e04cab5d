using Ingestion.Core.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>A browser that is signed in. The cookie holds a random token, this row its hash: a session ends when its row does.</summary>
public sealed class UserSession
{
    /// <summary><c>ses_</c> and a random key; not what the cookie holds.</summary>
    public required string Id { get; set; }
    public required byte[] TokenHash { get; set; }
    public required string AccountId { get; set; }
    /// <summary>The tenant the person looks at.</summary>
    public required string TenantId { get; set; }
    /// <summary>How the person signed in: <c>link</c>, <c>password</c>, <c>passkey</c>, <c>provider</c>.</summary>
    public required string Method { get; set; }
    public string? Address { get; set; }
    public string? Browser { get; set; }
    /// <summary>The provider's token of this sign-in, sealed: it is handed back at sign-out.</summary>
    public string? ProviderToken { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset LastSeenAt { get; set; }
    public DateTimeOffset EndsAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<UserSession>
    {
        public void Configure(EntityTypeBuilder<UserSession> e)
        {
            e.ToTable("user_session");
            e.Property(s => s.CreatedAt).HasDefaultValueSql("now()");
            e.Property(s => s.LastSeenAt).HasDefaultValueSql("now()");
            e.HasIndex(s => s.TokenHash).IsUnique();
            e.HasIndex(s => s.AccountId);
            e.HasIndex(s => s.EndsAt);
            e.HasOne<Account>().WithMany().HasForeignKey(s => s.AccountId).OnDelete(DeleteBehavior.Cascade);
            e.HasOne<Tenant>().WithMany().HasForeignKey(s => s.TenantId);
        }
    }
}

/// <summary>A key that a program sends. The key itself is shown once and kept as a hash.</summary>
public sealed class ApiKey
{
    /// <summary><c>key_</c> and a random key.</summary>
    public required string Id { get; set; }
    public required string TenantId { get; set; }
    /// <summary>Whose key it is: it can do no more than that person.</summary>
    public required string AccountId { get; set; }
    public required string Name { get; set; }
    /// <summary>The key's first characters, to recognise it by.</summary>
    public required string Prefix { get; set; }
    public required byte[] Hash { get; set; }
    public KeyScope Scope { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? ExpiresAt { get; set; }
    public DateTimeOffset? LastUsedAt { get; set; }
    public DateTimeOffset? RevokedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ApiKey>
    {
        public void Configure(EntityTypeBuilder<ApiKey> e)
        {
            e.ToTable("api_key");
            e.Property(k => k.CreatedAt).HasDefaultValueSql("now()");
            e.HasIndex(k => k.Hash).IsUnique();
            e.HasIndex(k => new { k.TenantId, k.AccountId });
            e.HasOne<Tenant>().WithMany().HasForeignKey(k => k.TenantId);
            e.HasOne<Account>().WithMany().HasForeignKey(k => k.AccountId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>A secret of a tenant, sealed by the key ring: what connectors, webhooks and providers need and nobody reads back.</summary>
public sealed class StoredSecret
{
    public required string TenantId { get; set; }
    /// <summary>What it is for: <c>connection/wiki</c>, <c>webhook/whk_…</c>.</summary>
    public required string Name { get; set; }
    public required string Sealed { get; set; }
    public required string SetBy { get; set; }
    public DateTimeOffset SetAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<StoredSecret>
    {
        public void Configure(EntityTypeBuilder<StoredSecret> e)
        {
            e.ToTable("secret");
            e.HasKey(s => new { s.TenantId, s.Name });
            e.Property(s => s.SetAt).HasDefaultValueSql("now()");
            e.HasOne<Tenant>().WithMany().HasForeignKey(s => s.TenantId);
        }
    }
}

/// <summary>A key of the ring that seals secrets and cookies, itself sealed by a key that is not in the database.</summary>
public sealed class ProtectionKey
{
    public required string Id { get; set; }
    public required string Xml { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<ProtectionKey>
    {
        public void Configure(EntityTypeBuilder<ProtectionKey> e)
        {
            e.ToTable("protection_key");
            e.Property(k => k.CreatedAt).HasDefaultValueSql("now()");
        }
    }
}
