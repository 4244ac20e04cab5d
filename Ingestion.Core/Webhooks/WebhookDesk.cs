using System.Globalization;
using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Webhooks;

/// <summary>What somebody wants told, and where.</summary>
/// <param name="Events">Null for all.</param>
/// <param name="Secret">Null for one that is made.</param>
/// <param name="Concurrency">Requests at once, 1 to 4.</param>
public sealed record NewWebhook(string Url, IReadOnlyList<string>? Events = null, string? Description = null, string? Secret = null, int Concurrency = 2);

/// <summary>A checked endpoint with its secret sealed: written with whatever it belongs to, or not at all.</summary>
public sealed record PreparedWebhook(string Id, string Url, IReadOnlyList<string> Events, string? Description, int Concurrency, string Sealed);

/// <summary>Endpoints of tenants: made, changed, tried out, and what was sent to them sent again. Each act is an audit entry.</summary>
public sealed class WebhookDesk(NpgsqlDataSource worker, Contexts contexts, SecretBox secrets, SafeHttp http, IOptions<WebhookOptions> options, TimeProvider time)
{
    public const int MaxDescription = 200;
    private const int MaxPerTenant = 100;

    /// <summary>
    /// Checks an endpoint and makes its secret, which is told this once. Throws <c>invalid_option</c>, <c>invalid_url</c> and
    /// <c>blocked_url</c> with a sentence.
    /// </summary>
    public (PreparedWebhook Endpoint, string Secret) Prepare(Actor actor, NewWebhook webhook)
    {
        var url = http.Rules.Parse(webhook.Url);
        if (url.Scheme != Uri.UriSchemeHttps && !options.Value.AllowHttp) throw Invalid("url must begin with https://.");
        var events = webhook.Events ?? WebhookEvents.All;
        if (events.FirstOrDefault(e => !WebhookEvents.All.Contains(e)) is { } unknown) throw Invalid($"events: “{Shown(unknown)}” is not known. Known are: {string.Join(", ", WebhookEvents.All)}.");
        if (events.Count == 0) throw Invalid($"events must name at least one of {string.Join(", ", WebhookEvents.All)}.");
        if (webhook.Concurrency is < 1 or > 4) throw Invalid("concurrency must be 1 to 4.");
        if (webhook.Description is { Length: > MaxDescription } || webhook.Description?.Any(char.IsControl) is true) throw Invalid($"description must be one line of at most {MaxDescription} characters.");
        if (webhook.Secret is { } brought && WebhookSignature.Problem(brought) is { } problem) throw Invalid(problem);
        var (id, secret) = (PublicId.New("whk_"), webhook.Secret ?? WebhookSignature.NewSecret());
        return (new(id, url.AbsoluteUri, [.. events.Distinct()], string.IsNullOrWhiteSpace(webhook.Description) ? null : webhook.Description.Trim(), webhook.Concurrency, secrets.Seal(actor.TenantId, WebhookSecrets.Of(id), secret)), secret);
    }

    /// <summary>Makes an endpoint for every batch of the tenant; its id and secret, which is told this once.</summary>
    public async Task<(string Id, string Secret)> CreateAsync(Actor actor, NewWebhook webhook, CancellationToken ct)
    {
        var (prepared, secret) = Prepare(actor, webhook);
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var count = new NpgsqlCommand("SELECT count(*)::int FROM ingestion.webhook_endpoint WHERE tenant_id = $1 AND batch_id IS NULL", connection) { Parameters = { new() { Value = actor.TenantId } } })
            if ((int)(await count.ExecuteScalarAsync(ct))! >= MaxPerTenant) throw Invalid($"A tenant has at most {MaxPerTenant} webhooks; remove one first.");
        await InsertAsync(connection, actor, prepared, null, ct);
        await transaction.CommitAsync(ct);
        return (prepared.Id, secret);
    }

    /// <summary>Writes an endpoint, its secret and the audit entry in the caller's transaction.</summary>
    /// <param name="batchId">Null for every batch of the tenant.</param>
    internal static async Task InsertAsync(NpgsqlConnection connection, Actor actor, PreparedWebhook webhook, long? batchId, CancellationToken ct)
    {
        const string sql = """
            WITH kept AS (
                INSERT INTO ingestion.secret (tenant_id, name, sealed, set_by, set_at) VALUES (@tenant, @name, @sealed, @who, ingestion.clock())
            )
            INSERT INTO ingestion.webhook_endpoint (tenant_id, public_id, batch_id, url, events, description, concurrency, created_by, created_at)
            VALUES (@tenant, @id, @batch, @url, @events, @description, @concurrency, @who, ingestion.clock())
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", actor.TenantId), new("name", WebhookSecrets.Of(webhook.Id)), new("sealed", webhook.Sealed), new("who", actor.Name), new("id", webhook.Id), new("url", webhook.Url),
                new("events", webhook.Events.ToArray()), new("concurrency", webhook.Concurrency), new("batch", NpgsqlDbType.Bigint) { Value = (object?)batchId ?? DBNull.Value },
                new("description", NpgsqlDbType.Text) { Value = (object?)webhook.Description ?? DBNull.Value },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
        // The address may hold a credential of the receiver's; the log says where, not how.
        await AuditLog.WriteAsync(connection, actor, "create_webhook", $"webhook {webhook.Id}", ct, JsonSerializer.Serialize(new { host = new Uri(webhook.Url).Authority, events = webhook.Events }));
    }

    /// <summary>Takes an endpoint away with everything that was sent to it. False where there is none in reach.</summary>
    public Task<bool> RemoveAsync(Actor actor, string id, CancellationToken ct) => ChangeAsync(actor, id, "remove_webhook", async (db, endpoint) =>
    {
        db.WebhookEndpoints.Remove(endpoint);
        await db.Secrets.Where(s => s.TenantId == actor.TenantId && (s.Name == WebhookSecrets.Of(id) || s.Name == WebhookSecrets.PreviousOf(id))).ExecuteDeleteAsync(ct);
    }, ct);

    /// <summary>Stops or goes on with sending; what waits meanwhile stays and is sent then.</summary>
    public Task<bool> SetDisabledAsync(Actor actor, string id, bool disabled, CancellationToken ct) => ChangeAsync(actor, id, disabled ? "disable_webhook" : "enable_webhook", (_, endpoint) =>
    {
        endpoint.DisabledAt = disabled ? endpoint.DisabledAt ?? time.GetUtcNow() : null;
        endpoint.DisabledReason = disabled ? "Switched off." : null;
        return Task.CompletedTask;
    }, ct);

    /// <summary>Replaces the secret; for a while what is sent is signed by both. The new one, told this once; null where there is no such endpoint.</summary>
    public async Task<string?> RotateAsync(Actor actor, string id, CancellationToken ct)
    {
        var secret = WebhookSignature.NewSecret();
        var (name, before) = (WebhookSecrets.Of(id), WebhookSecrets.PreviousOf(id));
        var done = await ChangeAsync(actor, id, "rotate_webhook_secret", async (db, endpoint) =>
        {
            var now = time.GetUtcNow();
            var old = await secrets.FindAsync(actor.TenantId, name, ct);
            var rows = await db.Secrets.Where(s => s.TenantId == actor.TenantId && (s.Name == name || s.Name == before)).ToListAsync(ct);
            Put(name, secret);
            // One that cannot be read any more is not signed with either.
            if (old is not null) Put(before, old);
            endpoint.PreviousSecretUntil = old is null ? null : now + options.Value.PreviousSecretLife;

            void Put(string called, string value)
            {
                var row = rows.FirstOrDefault(r => r.Name == called);
                if (row is null) db.Secrets.Add(row = new() { TenantId = actor.TenantId, Name = called, Sealed = "", SetBy = actor.Name });
                (row.Sealed, row.SetBy, row.SetAt) = (secrets.Seal(actor.TenantId, called, value), actor.Name, now);
            }
        }, ct);
        return done ? secret : null;
    }

    /// <summary>Sends a test event. The delivery's id; null where there is no such endpoint.</summary>
    public async Task<string?> TestAsync(Actor actor, string id, CancellationToken ct)
    {
        var message = PublicId.New("msg_");
        return await ChangeAsync(actor, id, "test_webhook", (db, endpoint) =>
        {
            var now = time.GetUtcNow();
            db.WebhookDeliveries.Add(new()
            {
                TenantId = actor.TenantId, PublicId = message, EndpointId = endpoint.Id, Event = WebhookEvents.Test, NextAt = now, CreatedAt = now,
                Payload = JsonSerializer.Serialize(new { type = WebhookEvents.Test, timestamp = now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture), data = new { } }),
            });
            return Task.CompletedTask;
        }, ct) ? message : null;
    }

    /// <summary>Sends a delivery that has ended once more, under the same id and by the whole schedule. False where there is none, or it is still on its way.</summary>
    public async Task<bool> RedeliverAsync(Actor actor, string id, string delivery, CancellationToken ct)
    {
        var found = false;
        await ChangeAsync(actor, id, "redeliver_webhook", async (db, endpoint) =>
        {
            if (await db.WebhookDeliveries.FirstOrDefaultAsync(d => d.EndpointId == endpoint.Id && d.PublicId == delivery && d.State != DeliveryState.Pending, ct) is not { } row) return;
            (row.State, row.NextAt, row.EndedAt, row.Failures, row.LeaseUntil, found) = (DeliveryState.Pending, time.GetUtcNow(), null, 0, null, true);
        }, ct, () => found);
        return found;
    }

    private async Task<bool> ChangeAsync(Actor actor, string id, string action, Func<IngestionDb, WebhookEndpoint, Task> change, CancellationToken ct, Func<bool>? wanted = null)
    {
        // In reach by row-level security; changed by whoever may write.
        await using (var own = contexts.For(actor.Scope))
            if (!await own.WebhookEndpoints.AnyAsync(w => w.PublicId == id, ct)) return false;
        await using var db = contexts.Worker();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await db.WebhookEndpoints.FirstOrDefaultAsync(w => w.TenantId == actor.TenantId && w.PublicId == id, ct) is not { } endpoint) return false;
        await change(db, endpoint);
        if (wanted?.Invoke() is false) return false;
        db.Add(actor, action, $"webhook {id}");
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return true;
    }

    private static string Shown(string word) => word.Length <= 80 ? word : word[..80] + "…";

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
