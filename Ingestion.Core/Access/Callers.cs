using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Access;

/// <summary>
/// Turns a credential into who asks, from the database's rows of this very moment: a disabled account, an ended session, a revoked key
/// or a disabled tenant is nobody with the next request.
/// </summary>
public sealed class Callers(Database database)
{
    // Asked with every request; a time that is written with every request would cost a commit each.
    private const string Seen = "interval '1 minute'";

    private const string Facts = """
        a.id, a.name, t.id, coalesce(CASE WHEN a.owner THEN 'administrator' END, m.role), a.owner, m.collections, m.connections, coalesce(m.own_batches, false) AND NOT a.owner
        """;

    private const string InForce = "a.disabled_at IS NULL AND t.disabled_at IS NULL AND (m.role IS NOT NULL OR a.owner)";

    /// <summary>The caller of a session's token; null where it is no session in force. Moves its end by the idle time.</summary>
    public Task<CallerFacts?> OfSessionAsync(string token, TimeSpan idle, CancellationToken ct) => FindAsync($"""
        WITH s AS (
            SELECT * FROM ingestion.user_session WHERE token_hash = $1 AND ends_at > ingestion.clock() AND last_seen_at > ingestion.clock() - $2
        ), seen AS (
            UPDATE ingestion.user_session u SET last_seen_at = ingestion.clock() FROM s WHERE u.id = s.id AND s.last_seen_at < ingestion.clock() - {Seen}
        )
        SELECT {Facts}, NULL, s.id
        FROM s
        JOIN ingestion.account a ON a.id = s.account_id
        JOIN ingestion.tenant t ON t.id = s.tenant_id
        LEFT JOIN ingestion.membership m ON m.tenant_id = t.id AND m.account_id = a.id
        WHERE {InForce}
        """, ct, AccessToken.Hash(token), idle);

    /// <summary>The caller of a session by its id, for pages that stay open; null where it has ended.</summary>
    public Task<CallerFacts?> OfOpenSessionAsync(string sessionId, CancellationToken ct) => FindAsync($"""
        SELECT {Facts}, NULL, s.id
        FROM ingestion.user_session s
        JOIN ingestion.account a ON a.id = s.account_id
        JOIN ingestion.tenant t ON t.id = s.tenant_id
        LEFT JOIN ingestion.membership m ON m.tenant_id = t.id AND m.account_id = a.id
        WHERE s.id = $1 AND s.ends_at > ingestion.clock() AND {InForce}
        """, ct, sessionId);

    /// <summary>The caller of an API key; null where the key is unknown, expired or revoked.</summary>
    public Task<CallerFacts?> OfKeyAsync(string key, CancellationToken ct) => FindAsync($"""
        WITH k AS (
            SELECT * FROM ingestion.api_key WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ingestion.clock())
        ), used AS (
            UPDATE ingestion.api_key u SET last_used_at = ingestion.clock() FROM k WHERE u.id = k.id AND (k.last_used_at IS NULL OR k.last_used_at < ingestion.clock() - {Seen})
        )
        SELECT {Facts}, k.scope, k.id
        FROM k
        JOIN ingestion.account a ON a.id = k.account_id
        JOIN ingestion.tenant t ON t.id = k.tenant_id
        LEFT JOIN ingestion.membership m ON m.tenant_id = t.id AND m.account_id = a.id
        WHERE {InForce}
        """, ct, AccessToken.Hash(key));

    /// <summary>The caller of an API key by the key's id, for connections that stay open; null once it has expired or was revoked.</summary>
    public Task<CallerFacts?> OfOpenKeyAsync(string keyId, CancellationToken ct) => FindAsync($"""
        SELECT {Facts}, k.scope, k.id
        FROM ingestion.api_key k
        JOIN ingestion.account a ON a.id = k.account_id
        JOIN ingestion.tenant t ON t.id = k.tenant_id
        LEFT JOIN ingestion.membership m ON m.tenant_id = t.id AND m.account_id = a.id
        WHERE k.id = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > ingestion.clock()) AND {InForce}
        """, ct, keyId);

    /// <summary>The caller that an account is in a tenant; null where it is none there.</summary>
    public Task<CallerFacts?> OfAccountAsync(string accountId, string tenantId, CancellationToken ct) => FindAsync($"""
        SELECT {Facts}, NULL, NULL
        FROM ingestion.account a
        JOIN ingestion.tenant t ON t.id = $2
        LEFT JOIN ingestion.membership m ON m.tenant_id = t.id AND m.account_id = a.id
        WHERE a.id = $1 AND {InForce}
        """, ct, accountId, tenantId);

    /// <summary>Tenants that an account may look at, by name.</summary>
    public async Task<IReadOnlyList<TenantName>> TenantsOfAsync(string accountId, CancellationToken ct)
    {
        const string sql = """
            SELECT t.id, t.name
            FROM ingestion.account a
            JOIN ingestion.tenant t ON t.disabled_at IS NULL AND (a.owner OR EXISTS (SELECT FROM ingestion.membership m WHERE m.tenant_id = t.id AND m.account_id = a.id))
            WHERE a.id = $1 AND a.disabled_at IS NULL
            ORDER BY t.id <> 'default', lower(t.name), t.id
            """;
        await using var command = database.Worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = accountId });
        await using var r = await command.ExecuteReaderAsync(ct);
        var tenants = new List<TenantName>();
        while (await r.ReadAsync(ct)) tenants.Add(new(r.GetString(0), r.GetString(1)));
        return tenants;
    }

    private async Task<CallerFacts?> FindAsync(string sql, CancellationToken ct, params object[] parameters)
    {
        await using var command = database.Worker.CreateCommand(sql);
        foreach (var value in parameters) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await using var r = await command.ExecuteReaderAsync(ct);
        if (!await r.ReadAsync(ct)) return null;
        var narrowing = r.GetBoolean(4)
            ? Narrowing.None
            : new(r.IsDBNull(5) ? null : r.GetFieldValue<long[]>(5), r.IsDBNull(6) ? null : r.GetFieldValue<string[]>(6), r.GetBoolean(7));
        return new(r.GetString(0), r.GetString(1), r.GetString(2), StateWords.Parse<Role>(r.GetString(3)), r.GetBoolean(4), narrowing,
            r.IsDBNull(8) ? null : StateWords.Parse<KeyScope>(r.GetString(8)), r.IsDBNull(9) ? null : r.GetString(9));
    }
}

/// <summary>A tenant as people choose it.</summary>
public sealed record TenantName(string Id, string Name);
