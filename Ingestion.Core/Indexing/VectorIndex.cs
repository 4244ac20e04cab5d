using System.Collections.Concurrent;
using Ingestion.Core.Data;
using Npgsql;

namespace Ingestion.Core.Indexing;

/// <summary>
/// The vectors of what is published, in bounded memory, a set for each tenant and generation. Brought up to date when somebody searches
/// and publications have changed. Beyond the bound the rest is found by words alone.
/// </summary>
public sealed class VectorIndex(Database database)
{
    /// <summary>Bytes of vectors held in this process at most, over all tenants.</summary>
    public const long MaxBytes = 512L << 20;

    private readonly ConcurrentDictionary<string, Tenant> _tenants = new();

    /// <summary>A tenant's vectors as of now.</summary>
    public async Task<VectorSet> OfAsync(string tenantId, CancellationToken ct)
    {
        var tenant = _tenants.GetOrAdd(tenantId, _ => new());
        await tenant.Gate.WaitAsync(ct);
        try
        {
            await using var connection = await database.OpenWebAsync(tenantId, ct);
            var stamp = await StampAsync(connection, ct);
            if (stamp != tenant.Stamp)
            {
                await RefreshAsync(connection, tenant, ct);
                tenant.Stamp = stamp;
            }
            return tenant.Set;
        }
        finally
        {
            tenant.Gate.Release();
        }
    }

    // Publications get their numbers before they commit, so "newer than the last I saw" would miss some: the count notices each.
    private static async Task<string> StampAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT count(*) || '/' || count(revoked_at) || '/' || coalesce(max(id), 0) FROM ingestion.publication", connection);
        return (string)(await command.ExecuteScalarAsync(ct))!;
    }

    private async Task RefreshAsync(NpgsqlConnection connection, Tenant tenant, CancellationToken ct)
    {
        var live = await LiveAsync(connection, ct);
        // Rows are only ever added; when too many have gone stale everything is read anew.
        var stale = tenant.Loaded.Count(v => !live.Contains(v));
        if (stale * 4 > live.Count)
        {
            tenant.Loaded.Clear();
            tenant.Set = VectorSet.Empty;
            stale = 0;
        }
        var rows = tenant.Set.Rows.ToDictionary(r => r.Generation);
        var whole = true;
        foreach (var part in live.Where(v => !tenant.Loaded.Contains(v)).Chunk(500))
        {
            whole &= await LoadAsync(connection, rows, part, ct);
            foreach (var v in part) tenant.Loaded.Add(v);
        }
        tenant.Set = new([.. rows.Values], live, stale, whole && tenant.Set.IsWhole);
    }

    /// <summary>False where the bound left some out.</summary>
    private async Task<bool> LoadAsync(NpgsqlConnection connection, Dictionary<long, VectorRows> rows, long[] versions, CancellationToken ct)
    {
        const string sql = """
            SELECT f.chunk_id, f.collection_id, f.document_version_id, g.id, g.model, g.dimensions, v.embedding
            FROM ingestion.chunk_fts f
            JOIN ingestion.chunk c ON c.id = f.chunk_id
            JOIN ingestion.embedding_generation g ON g.id = f.generation_id
            JOIN ingestion.chunk_vector v ON v.tenant_id = f.tenant_id AND v.generation_id = f.generation_id AND v.text_hash = c.text_hash
            WHERE f.document_version_id = ANY($1)
            """;
        var others = _tenants.Values.SelectMany(t => t.Set.Rows).Where(r => !rows.ContainsValue(r)).Sum(r => r.Bytes);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = versions } } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var whole = true;
        while (await r.ReadAsync(ct))
        {
            var generation = r.GetInt64(3);
            if (!rows.TryGetValue(generation, out var set)) rows[generation] = set = new(generation, r.GetString(4), r.GetInt32(5));
            whole &= others + rows.Values.Sum(s => s.Bytes) < MaxBytes && set.TryAdd(new(r.GetInt64(0), r.GetInt64(1), r.GetInt64(2)), r.GetFieldValue<byte[]>(6));
        }
        return whole;
    }

    private static async Task<HashSet<long>> LiveAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        const string sql = "SELECT DISTINCT ON (document_id) document_version_id FROM ingestion.publication WHERE revoked_at IS NULL ORDER BY document_id, id DESC";
        await using var command = new NpgsqlCommand(sql, connection);
        await using var r = await command.ExecuteReaderAsync(ct);
        var live = new HashSet<long>();
        while (await r.ReadAsync(ct)) live.Add(r.GetInt64(0));
        return live;
    }

    private sealed class Tenant
    {
        public readonly SemaphoreSlim Gate = new(1, 1);
        public readonly HashSet<long> Loaded = [];
        public VectorSet Set = VectorSet.Empty;
        public string? Stamp;
    }
}

/// <summary>What a vector belongs to.</summary>
public readonly record struct VectorKey(long Chunk, long Collection, long Version);

/// <summary>A tenant's vectors, a list of rows for each generation.</summary>
/// <param name="Live">Versions that are published; rows of others are still held.</param>
/// <param name="Stale">How many versions those others are.</param>
/// <param name="IsWhole">False where memory's bound left some out.</param>
public sealed record VectorSet(IReadOnlyList<VectorRows> Rows, IReadOnlySet<long> Live, int Stale, bool IsWhole)
{
    public static VectorSet Empty { get; } = new([], new HashSet<long>(), 0, true);
}
