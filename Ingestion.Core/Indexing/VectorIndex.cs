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
    /// <summary>Bytes of vectors held in this process at most.</summary>
    public const long MaxBytes = 512L << 20;

    private readonly ConcurrentDictionary<string, Tenant> _tenants = new();

    public async Task<IReadOnlyList<VectorRows>> RowsAsync(string tenantId, CancellationToken ct)
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
            return tenant.Rows;
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

    private static async Task RefreshAsync(NpgsqlConnection connection, Tenant tenant, CancellationToken ct)
    {
        var live = await LiveAsync(connection, ct);
        // Rows are only ever added; when too many have gone stale everything is read anew.
        if (tenant.Loaded.Count(v => !live.Contains(v)) is var gone && gone * 4 > live.Count)
        {
            tenant.Loaded.Clear();
            tenant.Rows = [];
        }
        var missing = live.Where(v => !tenant.Loaded.Contains(v)).ToArray();
        if (missing.Length == 0) return;
        var rows = tenant.Rows.ToDictionary(r => r.Generation, r => r);
        const string sql = """
            SELECT f.chunk_id, f.collection_id, g.id, g.model, g.dimensions, v.embedding
            FROM ingestion.chunk_fts f
            JOIN ingestion.chunk c ON c.id = f.chunk_id
            JOIN ingestion.embedding_generation g ON g.id = f.generation_id
            JOIN ingestion.chunk_vector v ON v.tenant_id = f.tenant_id AND v.generation_id = f.generation_id AND v.text_hash = c.text_hash
            WHERE f.document_version_id = ANY($1)
            """;
        foreach (var part in missing.Chunk(500))
        {
            await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = part } } };
            await using var r = await command.ExecuteReaderAsync(ct);
            while (await r.ReadAsync(ct))
            {
                var generation = r.GetInt64(2);
                if (!rows.TryGetValue(generation, out var set)) rows[generation] = set = new(generation, r.GetString(3), r.GetInt32(4));
                set.TryAdd(r.GetInt64(0), r.GetInt64(1), r.GetFieldValue<byte[]>(5));
            }
            foreach (var v in part) tenant.Loaded.Add(v);
        }
        tenant.Rows = [.. rows.Values];
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
        public IReadOnlyList<VectorRows> Rows = [];
        public string? Stamp;
    }
}

/// <summary>One generation's vectors. Adding and searching take turns.</summary>
public sealed class VectorRows
{
    private readonly VectorSearchRows<(long Chunk, long Collection)> _rows;

    public VectorRows(long generation, string model, int dimensions)
    {
        (Generation, Model, Dimensions) = (generation, model, dimensions);
        _rows = new(dimensions, (int)Math.Min(int.MaxValue, VectorIndex.MaxBytes / (dimensions * sizeof(float))));
    }

    public long Generation { get; }
    public string Model { get; }
    public int Dimensions { get; }

    public bool TryAdd(long chunk, long collection, ReadOnlySpan<byte> embedding)
    {
        lock (_rows) return _rows.TryAdd((chunk, collection), embedding);
    }

    /// <summary>Chunks nearest to the query, nearest first; of one collection where one is given.</summary>
    public IEnumerable<long> TopK(ReadOnlySpan<float> query, long? collection, int k, CancellationToken ct)
    {
        lock (_rows)
        {
            // Another collection's rows may crowd the list: ask for more where one is wanted.
            var best = _rows.TopK(query, collection is null ? k : Math.Max(k, Math.Min(_rows.Count, 20 * k)), ct);
            return [.. best.Where(b => b.Score > 0 && (collection is null || b.Key.Collection == collection)).Take(k).Select(b => b.Key.Chunk)];
        }
    }
}
