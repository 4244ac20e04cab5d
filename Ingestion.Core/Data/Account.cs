using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>A person. Belongs to the installation; what the person may do in a tenant is a <see cref="Membership"/>.</summary>
public sealed class Account
{
    /// <summary><c>usr_</c> and a random key.</summary>
    public required string Id { get; set; }
    /// <summary>What the person types to sign in; upper and lower case are one.</summary>
    public required string UserName { get; set; }
    public required string NormalizedUserName { get; set; }
    public required string Name { get; set; }
    /// <summary>Null for whoever signs in by a passkey, a link or a provider alone.</summary>
    public string? PasswordHash { get; set; }
    public required string SecurityStamp { get; set; }
    public int FailedSignIns { get; set; }
    public DateTimeOffset? LockedUntil { get; set; }
    /// <summary>Looks after the installation.</summary>
    public bool Owner { get; set; }
    /// <summary>The OpenID Connect provider that vouches for the person, and what it calls them there.</summary>
    public string? Issuer { get; set; }
    public string? Subject { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? LastSignInAt { get; set; }
    public DateTimeOffset? DisabledAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<Account>
    {
        public void Configure(EntityTypeBuilder<Account> e)
        {
            e.ToTable("account", t => t.HasCheckConstraint("account_of_a_provider_is_whole", "(issuer IS NULL) = (subject IS NULL)"));
            e.Property(a => a.CreatedAt).HasDefaultValueSql("now()");
            e.HasIndex(a => a.NormalizedUserName).IsUnique();
            e.HasIndex(a => new { a.Issuer, a.Subject }).IsUnique();
        }
    }
}

/// <summary>A passkey of a person: a public key. <c>Data</c> is what the authenticator said when it was made.</summary>
public sealed class AccountPasskey
{
    public required byte[] CredentialId { get; set; }
    public required string AccountId { get; set; }
    public required string Name { get; set; }
    public required string Data { get; set; }
    public DateTimeOffset CreatedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<AccountPasskey>
    {
        public void Configure(EntityTypeBuilder<AccountPasskey> e)
        {
            e.ToTable("account_passkey");
            e.HasKey(p => p.CredentialId);
            e.Property(p => p.Data).HasColumnType("jsonb");
            e.HasIndex(p => p.AccountId);
            e.HasOne<Account>().WithMany().HasForeignKey(p => p.AccountId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
