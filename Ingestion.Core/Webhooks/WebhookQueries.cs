using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Core.Webhooks;

/// <summary>An endpoint as people see it: never its secret.</summary>
/// <param name="Batch">The one batch it is told of; null for all of the tenant.</param>
public sealed record WebhookView(
    string Id, string Url, IReadOnlyList<string> Events, string? Description, int Concurrency, string? Batch, string CreatedBy, DateTimeOffset CreatedAt, DateTimeOffset? DisabledAt, string? DisabledReason,
    DateTimeOffset? PreviousSecretUntil, int Pending, int Delivered, int Dead);

/// <summary>A delivery as people see it.</summary>
public sealed record DeliveryView(
    string Id, string Event, string? Batch, int Run, DeliveryState State, int Attempt, DateTimeOffset? NextAt, int? LastStatus, string? LastError, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt, string Payload);

/// <summary>One attempt as people see it.</summary>
public sealed record DeliveryAttempt(int Attempt, DateTimeOffset At, int Milliseconds, int? Status, int ReplyBytes, string? Error);

/// <summary>Webhooks and what was sent to them, within what a caller reaches.</summary>
public sealed class WebhookQueries(Contexts contexts)
{
    /// <summary>Those of the tenant first, then those of batches, newest first.</summary>
    public async Task<IReadOnlyList<WebhookView>> ListAsync(Scope scope, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return await Views(db, db.WebhookEndpoints.OrderBy(w => w.BatchId != null).ThenByDescending(w => w.CreatedAt).ThenBy(w => w.Id).Take(500)).ToListAsync(ct);
    }

    public async Task<WebhookView?> FindAsync(Scope scope, string id, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return await Views(db, db.WebhookEndpoints.Where(w => w.PublicId == id)).FirstOrDefaultAsync(ct);
    }

    /// <summary>What was sent to an endpoint, newest first.</summary>
    public async Task<Page<DeliveryView>> DeliveriesAsync(Scope scope, string id, DeliveryState? state, int skip, int take, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var rows =
            from d in db.WebhookDeliveries
            join w in db.WebhookEndpoints on d.EndpointId equals w.Id
            where w.PublicId == id && (state == null || d.State == state)
            select d;
        var page = await (
            from d in rows
            orderby d.Id descending
            select new DeliveryView(d.PublicId, d.Event, db.Batches.Where(b => b.Id == d.BatchId).Select(b => b.PublicId).FirstOrDefault(), d.Run, d.State, d.Attempt, d.NextAt, d.LastStatus, d.LastError,
                d.CreatedAt, d.EndedAt, d.Payload)).Skip(skip).Take(take).ToListAsync(ct);
        return new(page, await rows.CountAsync(ct));
    }

    /// <summary>The attempts at a delivery, the first first; null where the endpoint has no such delivery.</summary>
    public async Task<IReadOnlyList<DeliveryAttempt>?> AttemptsAsync(Scope scope, string id, string delivery, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        if (await db.WebhookDeliveries.Where(d => d.PublicId == delivery && db.WebhookEndpoints.Any(w => w.Id == d.EndpointId && w.PublicId == id)).Select(d => (long?)d.Id).FirstOrDefaultAsync(ct) is not { } found) return null;
        return await db.WebhookAttempts.Where(a => a.DeliveryId == found).OrderBy(a => a.Attempt).ThenBy(a => a.Id)
            .Select(a => new DeliveryAttempt(a.Attempt, a.At, a.Milliseconds, a.Status, a.ReplyBytes, a.Error)).Take(200).ToListAsync(ct);
    }

    private static IQueryable<WebhookView> Views(IngestionDb db, IQueryable<WebhookEndpoint> rows) => rows.Select(w => new WebhookView(
        w.PublicId, w.Url, w.Events, w.Description, w.Concurrency, db.Batches.Where(b => b.Id == w.BatchId).Select(b => b.PublicId).FirstOrDefault(), w.CreatedBy, w.CreatedAt, w.DisabledAt, w.DisabledReason, w.PreviousSecretUntil,
        db.WebhookDeliveries.Count(d => d.EndpointId == w.Id && d.State == DeliveryState.Pending),
        db.WebhookDeliveries.Count(d => d.EndpointId == w.Id && d.State == DeliveryState.Delivered),
        db.WebhookDeliveries.Count(d => d.EndpointId == w.Id && d.State == DeliveryState.Dead)));
}
