using System.Globalization;
using Ingestion.Core.Artifacts;
using Npgsql;

namespace Ingestion.Core.Indexing;

/// <summary>
/// Keeps normalized.md and ingestion.json at their contract names equal to what is published. Done after the publishing commit; a sweep
/// does what a crash left undone.
/// </summary>
public sealed class PublishedNames(NpgsqlDataSource worker, IArtifactStore store)
{
    // The first half of the advisory locks by which exports of one document take turns; the second half is the document.
    private const int ExportGate = 0x4578706F;

    /// <summary>Copies a version's files to the contract names, if it is the published one.</summary>
    public async Task ExportAsync(long version, CancellationToken ct)
    {
        const string sql = """
            SELECT v.document_id, v.tenant_id, s.source_id, v.source_version_id, v.markdown_uri, v.record_uri
            FROM ingestion.document_version v
            JOIN ingestion.source_version s ON s.id = v.source_version_id
            WHERE v.id = $1 AND ingestion.published_version(v.id)
            """;
        // Two exports of one document take turns and each looks again: the names never go back to an older version.
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using (var turn = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1, (document_id % 2147483647)::int) FROM ingestion.document_version WHERE id = $2", connection) { Parameters = { new() { Value = ExportGate }, new() { Value = version } } })
            await turn.ExecuteNonQueryAsync(ct);
        (long Document, string Tenant, string Source, string SourceVersion, Uri Markdown, Uri Record) found;
        await using (var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = version } } })
        {
            await using var r = await command.ExecuteReaderAsync(ct);
            if (!await r.ReadAsync(ct)) return;
            found = (r.GetInt64(0), r.GetString(1), Number(r.GetInt64(2)), Number(r.GetInt64(3)), new Uri(r.GetString(4)), new Uri(r.GetString(5)));
        }
        await CopyAsync(found.Markdown, ArtifactKeys.Markdown(found.Tenant, found.Source, found.SourceVersion), ct);
        await CopyAsync(found.Record, ArtifactKeys.Record(found.Tenant, found.Source, found.SourceVersion), ct);
        await using var mark = new NpgsqlCommand("UPDATE ingestion.document SET exported_version_id = $2 WHERE id = $1", connection) { Parameters = { new() { Value = found.Document }, new() { Value = version } } };
        await mark.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>Exports what was published more than a moment ago and is not yet at its names.</summary>
    public async Task SweepAsync(CancellationToken ct)
    {
        const string sql = """
            SELECT p.document_version_id
            FROM ingestion.publication p
            JOIN ingestion.document d ON d.id = p.document_id
            WHERE p.revoked_at IS NULL AND p.published_at < ingestion.clock() - interval '10 seconds'
              AND d.exported_version_id IS DISTINCT FROM p.document_version_id AND ingestion.published_version(p.document_version_id)
            ORDER BY p.id DESC
            LIMIT 200
            """;
        var versions = new List<long>();
        await using (var command = worker.CreateCommand(sql))
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct)) versions.Add(r.GetInt64(0));
        var failures = new List<Exception>();
        foreach (var version in versions)
        {
            try
            {
                await ExportAsync(version, ct);
            }
            catch (IOException e)
            {
                // One file that is gone must not keep the others from their names.
                failures.Add(e);
            }
        }
        if (failures.Count > 0) throw new AggregateException($"{failures.Count} of {versions.Count} published documents were not exported", failures);
    }

    private async Task CopyAsync(Uri from, string key, CancellationToken ct)
    {
        await using var content = await store.OpenAsync(from, ct) ?? throw new FileNotFoundException($"the artifact {from} is gone");
        await store.PutAsync(store.Locate(key, beside: from), content, ct);
    }

    private static string Number(long id) => id.ToString(CultureInfo.InvariantCulture);
}
