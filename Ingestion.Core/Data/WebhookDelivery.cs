using Ingestion.Core.Webhooks;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>
/// One event on its way to one endpoint. Written in the transaction that made the event, claimed like a task: whoever sends it holds it
/// for a while, and what a crash interrupts is sent again under the same id.
/// </summary>
public sealed class WebhookDelivery
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    /// <summary><c>msg_</c> and a random key: the receiver's means to see a repetition.</summary>
    public required string PublicId { get; set; }
    public long EndpointId { get; set; }
    /// <summary>Null for a test of the endpoint.</summary>
    public long? BatchId { get; set; }
    public required string Event { get; set; }
    /// <summary>Which run of the batch, from 1: a retry of an ended batch leads to another end.</summary>
    public int Run { get; set; }
    /// <summary>The exact text that is sent, each time.</summary>
    public required string Payload { get; set; }
    public DeliveryState State { get; set; } = DeliveryState.Pending;
    /// <summary>Times it was taken up to be sent.</summary>
    public int Attempt { get; set; }
    /// <summary>Attempts that failed since it was last asked for.</summary>
    public int Failures { get; set; }
    /// <summary>When it is sent next; null once it has ended.</summary>
    public DateTimeOffset? NextAt { get; set; }
    /// <summary>Until when its sender holds it; null while nobody does.</summary>
    public DateTimeOffset? LeaseUntil { get; set; }
    public string? Worker { get; set; }
    /// <summary>The status of the last answer; null where none came.</summary>
    public int? LastStatus { get; set; }
    public string? LastError { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? EndedAt { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<WebhookDelivery>
    {
        public void Configure(EntityTypeBuilder<WebhookDelivery> e)
        {
            e.ToTable("webhook_delivery", t =>
            {
                t.HasCheckConstraint("delivery_final_has_time", "(state = 'pending') = (ended_at IS NULL)");
                t.HasCheckConstraint("delivery_pending_has_next", "(state = 'pending') = (next_at IS NOT NULL)");
            });
            e.Property(d => d.CreatedAt).HasDefaultValueSql("now()");
            e.HasIndex(d => d.PublicId).IsUnique();
            e.HasIndex(d => new { d.EndpointId, d.BatchId, d.Event, d.Run }).IsUnique().HasDatabaseName("webhook_delivery_once");
            e.HasIndex(d => new { d.EndpointId, d.NextAt, d.Id }).HasFilter("state = 'pending'").HasDatabaseName("webhook_delivery_due");
            e.HasIndex(d => new { d.EndpointId, d.Id }).HasDatabaseName("webhook_delivery_log");
            e.HasOne<WebhookEndpoint>().WithMany().HasForeignKey(d => new { d.TenantId, d.EndpointId }).HasPrincipalKey(w => new { w.TenantId, w.Id }).OnDelete(DeleteBehavior.Cascade);
        }
    }
}

/// <summary>One attempt at a delivery and what came of it.</summary>
public sealed class WebhookAttempt
{
    public long Id { get; set; }
    public required string TenantId { get; set; }
    public long DeliveryId { get; set; }
    public int Attempt { get; set; }
    public DateTimeOffset At { get; set; }
    public int Milliseconds { get; set; }
    /// <summary>The status of the answer; null where none came.</summary>
    public int? Status { get; set; }
    /// <summary>Bytes of the answer that were read. What they say is nobody's to see: an answer may come from where only we reach.</summary>
    public int ReplyBytes { get; set; }
    /// <summary>Why it failed, in a sentence; null where it did not.</summary>
    public string? Error { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<WebhookAttempt>
    {
        public void Configure(EntityTypeBuilder<WebhookAttempt> e)
        {
            e.ToTable("webhook_attempt");
            e.HasIndex(a => new { a.DeliveryId, a.Attempt });
            e.HasOne<WebhookDelivery>().WithMany().HasForeignKey(a => a.DeliveryId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
