using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>An address of somebody else's that is told of what happens: of every batch of a tenant, or of one batch.</summary>
public sealed class WebhookEndpoint
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    /// <summary><c>whk_</c> and a random key; its secret is <c>webhook/</c> and this.</summary>
    public required string PublicId { get; set; }
    /// <summary>Null for every batch of the tenant.</summary>
    public long? BatchId { get; set; }
    public required string Url { get; set; }
    /// <summary>The events it wants to hear of.</summary>
    public List<string> Events { get; set; } = [];
    public string? Description { get; set; }
    /// <summary>Requests under way to it at once, over all processes; 1 to 4.</summary>
    public int Concurrency { get; set; } = 2;
    public required string CreatedBy { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    /// <summary>Nothing is sent from then on; null while it is in use.</summary>
    public DateTimeOffset? DisabledAt { get; set; }
    /// <summary>Why, in a sentence.</summary>
    public string? DisabledReason { get; set; }
    /// <summary>Until when the secret before is signed with as well; null where there is none.</summary>
    public DateTimeOffset? PreviousSecretUntil { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<WebhookEndpoint>
    {
        public void Configure(EntityTypeBuilder<WebhookEndpoint> e)
        {
            e.ToTable("webhook_endpoint", t => t.HasCheckConstraint("endpoint_concurrency_is_small", "concurrency BETWEEN 1 AND 4"));
            e.Property(w => w.Events).HasDefaultValueSql("'{}'");
            e.Property(w => w.CreatedAt).HasDefaultValueSql("now()");
            e.HasIndex(w => w.PublicId).IsUnique();
            e.HasAlternateKey(w => new { w.TenantId, w.Id });
            e.HasIndex(w => new { w.TenantId, w.BatchId });
            e.HasOne<Tenant>().WithMany().HasForeignKey(w => w.TenantId);
            e.HasOne<ImportBatch>().WithMany().HasForeignKey(w => new { w.TenantId, w.BatchId }).HasPrincipalKey(b => new { b.TenantId, b.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
