using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Webhooks;

/// <summary>A delivery that this process holds and sends now.</summary>
/// <param name="PreviousSecret">True while the secret before is signed with as well.</param>
internal sealed record ClaimedDelivery(
    long Id, int Attempt, int Failures, string TenantId, string PublicId, string Event, string Payload, long EndpointId, string Endpoint, string Url, bool PreviousSecret);

/// <summary>What came of an attempt.</summary>
/// <param name="Status">The answer's; null where none came.</param>
/// <param name="Error">Null where the receiver took it.</param>
/// <param name="Wait">Before the next attempt; null where there is none.</param>
/// <param name="Gone">The receiver wants to hear no more: its endpoint is disabled.</param>
internal sealed record SentDelivery(DateTimeOffset At, TimeSpan Took, int? Status, int ReplyBytes, string? Error, TimeSpan? Wait, bool Gone = false);

/// <summary>
/// Every statement that moves a delivery. A claim is a lease with the attempt as its fence, as with tasks; the endpoint's row is locked
/// while its free places are counted, so that all processes together keep its limit.
/// </summary>
internal sealed class WebhookQueue(NpgsqlDataSource worker)
{
    /// <summary>Takes up what is due. Of one batch and endpoint the first attempts go in the order of the events.</summary>
    public async Task<IReadOnlyList<ClaimedDelivery>> ClaimAsync(string me, int most, TimeSpan lease, CancellationToken ct)
    {
        const string ready = """
            SELECT w.id FROM ingestion.webhook_endpoint w
            WHERE w.disabled_at IS NULL AND EXISTS (
                SELECT FROM ingestion.webhook_delivery d WHERE d.endpoint_id = w.id AND d.state = 'pending' AND d.next_at <= ingestion.clock() AND (d.lease_until IS NULL OR d.lease_until <= ingestion.clock()))
            ORDER BY w.id
            FOR UPDATE SKIP LOCKED
            """;
        const string claim = """
            WITH picked AS (
                SELECT p.id
                FROM ingestion.webhook_endpoint w
                CROSS JOIN LATERAL (
                    SELECT d.id
                    FROM ingestion.webhook_delivery d
                    WHERE d.endpoint_id = w.id AND d.state = 'pending' AND d.next_at <= ingestion.clock() AND (d.lease_until IS NULL OR d.lease_until <= ingestion.clock())
                      AND NOT EXISTS (
                          SELECT FROM ingestion.webhook_delivery e
                          WHERE e.endpoint_id = d.endpoint_id AND e.batch_id = d.batch_id AND e.id < d.id AND e.state = 'pending' AND e.failures = 0)
                    ORDER BY d.next_at, d.id
                    LIMIT greatest(0, w.concurrency - (SELECT count(*) FROM ingestion.webhook_delivery s WHERE s.endpoint_id = w.id AND s.state = 'pending' AND s.lease_until > ingestion.clock()))
                ) p
                WHERE w.id = ANY (@ready)
                LIMIT @most
            )
            UPDATE ingestion.webhook_delivery d
            SET attempt = d.attempt + 1, lease_until = ingestion.clock() + @lease, worker = @me
            FROM picked, ingestion.webhook_endpoint w
            WHERE d.id = picked.id AND w.id = d.endpoint_id
            RETURNING d.id, d.attempt, d.failures, d.tenant_id, d.public_id, d.event, d.payload, w.id, w.public_id, w.url, w.previous_secret_until > ingestion.clock()
            """;
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var endpoints = await EndpointsAsync(connection, ready, ct);
        if (endpoints.Count == 0) return [];
        // A statement of its own, whose snapshot is of after the locks: what others have taken up meanwhile is counted.
        var claimed = new List<ClaimedDelivery>();
        await using (var command = new NpgsqlCommand(claim, connection) { Parameters = { new("ready", endpoints.ToArray()), new("me", me), new("most", most), new("lease", lease) } })
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct))
                claimed.Add(new(r.GetInt64(0), r.GetInt32(1), r.GetInt32(2), r.GetString(3), r.GetString(4), r.GetString(5), r.GetString(6), r.GetInt64(7), r.GetString(8), r.GetString(9), !r.IsDBNull(10) && r.GetBoolean(10)));
        await transaction.CommitAsync(ct);
        return [.. claimed.OrderBy(c => c.Id)];
    }

    /// <summary>Writes what came of an attempt. False where the claim is gone: somebody else sends it meanwhile, and this one counts as a repetition.</summary>
    public async Task<bool> SettleAsync(ClaimedDelivery delivery, SentDelivery sent, CancellationToken ct)
    {
        const string sql = """
            WITH ended AS (
                UPDATE ingestion.webhook_delivery
                SET state = CASE WHEN @error IS NULL THEN 'delivered' WHEN @wait IS NULL THEN 'dead' ELSE 'pending' END,
                    next_at = CASE WHEN @error IS NOT NULL AND @wait IS NOT NULL THEN ingestion.clock() + @wait END,
                    ended_at = CASE WHEN @error IS NULL OR @wait IS NULL THEN ingestion.clock() END,
                    failures = failures + CASE WHEN @error IS NULL THEN 0 ELSE 1 END,
                    lease_until = NULL, last_status = @status, last_error = @error
                WHERE id = @id AND attempt = @attempt AND state = 'pending'
                RETURNING id, tenant_id
            ), logged AS (
                INSERT INTO ingestion.webhook_attempt (tenant_id, delivery_id, attempt, at, milliseconds, status, reply_bytes, error)
                SELECT tenant_id, id, @attempt, @at, @took, @status, @bytes, @error FROM ended
            ), disabled AS (
                UPDATE ingestion.webhook_endpoint SET disabled_at = ingestion.clock(), disabled_reason = @error
                WHERE id = @endpoint AND @gone AND disabled_at IS NULL AND EXISTS (SELECT FROM ended)
                RETURNING id
            ), dropped AS (
                UPDATE ingestion.webhook_delivery SET state = 'dead', next_at = NULL, ended_at = ingestion.clock(), lease_until = NULL, last_error = @error
                WHERE endpoint_id IN (SELECT id FROM disabled) AND state = 'pending' AND id <> @id
            )
            SELECT EXISTS (SELECT FROM ended)
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.AddRange(new NpgsqlParameter[]
        {
            new("id", delivery.Id), new("attempt", delivery.Attempt), new("endpoint", delivery.EndpointId), new("at", sent.At), new("took", (int)sent.Took.TotalMilliseconds), new("bytes", sent.ReplyBytes), new("gone", sent.Gone),
            new("status", NpgsqlDbType.Integer) { Value = (object?)sent.Status ?? DBNull.Value },
            new("error", NpgsqlDbType.Text) { Value = (object?)sent.Error ?? DBNull.Value },
            new("wait", NpgsqlDbType.Interval) { Value = (object?)sent.Wait ?? DBNull.Value },
        });
        return (bool)(await command.ExecuteScalarAsync(ct))!;
    }

    private static async Task<List<long>> EndpointsAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var r = await command.ExecuteReaderAsync(ct);
        var ids = new List<long>();
        while (await r.ReadAsync(ct)) ids.Add(r.GetInt64(0));
        return ids;
    }
}
