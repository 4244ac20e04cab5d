using System.Security.Cryptography;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Sources;
using Npgsql;

namespace Ingestion.Core.Pipeline.Verify;

/// <summary>
/// I6: every row's file is there as it was written, every file has a row, and the contract names hold what is published. Files come and
/// go while this looks, so the listing is taken before the rows (a file's row is older than the file), and whatever seems wrong is looked
/// at once more before it is told.
/// </summary>
internal sealed class FileChecks(IArtifactStore store, UploadFiles uploads)
{
    public const string Stranger = "file_has_a_row";
    public const string LostName = "published_names_hold_what_is_published";

    private readonly Dictionary<string, long> _stored = [];

    public List<Violation> Missing { get; } = [];
    public List<Violation> Changed { get; } = [];
    public List<Violation> Strangers { get; } = [];
    public List<Violation> Names { get; } = [];
    public List<Violation> Uploads { get; } = [];

    /// <summary>Files that no row names, for the repair.</summary>
    public List<Uri> DeadFiles { get; } = [];

    /// <summary>Published versions whose names are missing or hold something else, for the repair.</summary>
    public List<long> LostNames { get; } = [];

    /// <summary>Call before the snapshot is taken.</summary>
    public async Task ListAsync(CancellationToken ct)
    {
        await foreach (var (uri, length, _) in store.ListAsync(ct)) _stored[uri.AbsoluteUri] = length;
    }

    /// <param name="snapshot">The connection of the snapshot.</param>
    /// <param name="now">For second looks, outside the snapshot.</param>
    public async Task RunAsync(NpgsqlConnection snapshot, NpgsqlDataSource now, bool quick, CancellationToken ct)
    {
        var known = await ArtifactsAsync(snapshot, quick, ct);
        await NamesAsync(snapshot, now, known, quick, ct);
        await StrangersAsync(now, known, ct);
        await UploadsAsync(snapshot, now, ct);
    }

    // Returns every address that a file may have; for intents without a length.
    private async Task<Dictionary<string, (long Length, string Sha256)?>> ArtifactsAsync(NpgsqlConnection snapshot, bool quick, CancellationToken ct)
    {
        var rows = new List<(long Id, string Uri, bool Live, long Length, string Sha256)>();
        await using (var command = new NpgsqlCommand("SELECT id, uri, live, coalesce(length, 0), coalesce(sha256, '') FROM ingestion.artifact", snapshot))
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct)) rows.Add((r.GetInt64(0), r.GetString(1), r.GetBoolean(2), r.GetInt64(3), r.GetString(4)));
        foreach (var row in rows.Where(r => r.Live))
        {
            var subject = $"artifact {row.Id}";
            if (quick && _stored.TryGetValue(row.Uri, out var listed) && listed == row.Length) continue;
            if (await MeasureAsync(new(row.Uri), ct) is not { } found)
                Missing.Add(new(subject, $"The file {row.Uri} is not there."));
            else if (found.Length != row.Length)
                Changed.Add(new(subject, $"The file {row.Uri} has {found.Length} bytes instead of {row.Length}."));
            else if (found.Sha256 != row.Sha256)
                Changed.Add(new(subject, $"The bytes of {row.Uri} are not those that were written."));
        }
        return rows.ToDictionary(r => r.Uri, r => r.Live ? (r.Length, r.Sha256) : ((long, string)?)null);
    }

    // The names of every version ever published belong to its source version; those of the one that is published now must hold its bytes.
    private async Task NamesAsync(NpgsqlConnection snapshot, NpgsqlDataSource now, Dictionary<string, (long Length, string Sha256)?> known, bool quick, CancellationToken ct)
    {
        const string sql = $"""
            SELECT v.id, v.tenant_id, s.source_id, v.source_version_id, v.markdown_uri, v.record_uri, l.id IS NOT NULL, l.settled
            FROM (SELECT DISTINCT document_version_id FROM ingestion.publication) p
            JOIN ingestion.document_version v ON v.id = p.document_version_id
            JOIN ingestion.source_version s ON s.id = v.source_version_id
            LEFT JOIN (
                SELECT n.document_version_id AS id, d.exported_version_id IS NOT DISTINCT FROM n.document_version_id OR n.published_at < ingestion.clock() - interval '1 minute' AS settled
                FROM ({ContentChecks.PublishedNow}) n JOIN ingestion.document d ON d.id = n.document_id
            ) l ON l.id = v.id
            """;
        var versions = new List<(long Id, string Markdown, string Record, string MarkdownName, string RecordName, bool Published, bool Settled)>();
        await using (var command = new NpgsqlCommand(sql, snapshot))
        await using (var r = await command.ExecuteReaderAsync(ct))
        {
            while (await r.ReadAsync(ct))
            {
                var (tenant, source, version) = (r.GetString(1), SourceVersions.Key(r.GetInt64(2)), SourceVersions.Key(r.GetInt64(3)));
                versions.Add((r.GetInt64(0), r.GetString(4), r.GetString(5), store.Locate(ArtifactKeys.Markdown(tenant, source, version), new(r.GetString(4))).AbsoluteUri,
                    store.Locate(ArtifactKeys.Record(tenant, source, version), new(r.GetString(5))).AbsoluteUri, r.GetBoolean(6), !r.IsDBNull(7) && r.GetBoolean(7)));
            }
        }
        foreach (var v in versions)
        {
            if (v.Published && v.Settled && (await DiffersAsync(v.Markdown, v.MarkdownName, known, quick, ct) ?? await DiffersAsync(v.Record, v.RecordName, known, quick, ct)) is { } sentence
                && await IsExportedAsync(now, v.Id, ct))
            {
                Names.Add(new($"version {v.Id}", sentence));
                LostNames.Add(v.Id);
            }
            known.TryAdd(v.MarkdownName, null);
            known.TryAdd(v.RecordName, null);
        }
    }

    private async Task<string?> DiffersAsync(string own, string name, Dictionary<string, (long Length, string Sha256)?> known, bool quick, CancellationToken ct)
    {
        if (!known.TryGetValue(own, out var stored) || stored is not { } expected) return null;
        if (quick && _stored.TryGetValue(name, out var listed) && listed == expected.Length) return null;
        return await MeasureAsync(new(name), ct, hash: !quick) is not { } found ? $"The published name {name} does not exist."
            : found.Length != expected.Length || (!quick && found.Sha256 != expected.Sha256) ? $"The published name {name} does not hold the bytes of the published version."
            : null;
    }

    // A publication after the snapshot may have changed the names rightly, or be about to.
    private static async Task<bool> IsExportedAsync(NpgsqlDataSource now, long version, CancellationToken ct)
    {
        await using var command = now.CreateCommand("""
            SELECT ingestion.published_version(v.id) AND (d.exported_version_id = v.id OR p.published_at < ingestion.clock() - interval '1 minute')
            FROM ingestion.document_version v
            JOIN ingestion.document d ON d.id = v.document_id
            JOIN ingestion.publication p ON p.document_version_id = v.id AND p.revoked_at IS NULL
            WHERE v.id = $1
            ORDER BY p.id DESC
            LIMIT 1
            """);
        command.Parameters.Add(new() { Value = version });
        return await command.ExecuteScalarAsync(ct) is true;
    }

    private async Task StrangersAsync(NpgsqlDataSource now, Dictionary<string, (long Length, string Sha256)?> known, CancellationToken ct)
    {
        foreach (var uri in _stored.Keys.Where(u => !known.ContainsKey(u)))
        {
            // Its row was there when it was listed; a sweep took both meanwhile, or there is none.
            if (await MeasureAsync(new(uri), ct, hash: false) is null) continue;
            await using var command = now.CreateCommand("SELECT EXISTS (SELECT FROM ingestion.artifact WHERE uri = $1)");
            command.Parameters.Add(new() { Value = uri });
            if (await command.ExecuteScalarAsync(ct) is true) continue;
            Strangers.Add(new("file", $"No row names the file {uri}."));
            DeadFiles.Add(new(uri));
        }
    }

    private async Task UploadsAsync(NpgsqlConnection snapshot, NpgsqlDataSource now, CancellationToken ct)
    {
        var rows = new List<(string Id, long Size)>();
        await using (var command = new NpgsqlCommand("SELECT public_id, size FROM ingestion.upload WHERE completed_at IS NOT NULL AND removed_at IS NULL AND size > 0", snapshot))
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct)) rows.Add((r.GetString(0), r.GetInt64(1)));
        foreach (var (id, size) in rows)
        {
            var file = new FileInfo(uploads.PathOf(id));
            if (file.Exists && file.Length == size) continue;
            await using var command = now.CreateCommand("SELECT EXISTS (SELECT FROM ingestion.upload WHERE public_id = $1 AND removed_at IS NULL)");
            command.Parameters.Add(new() { Value = id });
            if (await command.ExecuteScalarAsync(ct) is not true) continue;
            Uploads.Add(new($"upload {id}", file.Exists ? $"The upload {id} has {file.Length} bytes instead of {size}." : $"The file of the upload {id} is not there."));
        }
    }

    private async Task<(long Length, string Sha256)?> MeasureAsync(Uri uri, CancellationToken ct, bool hash = true)
    {
        await using var content = await store.OpenAsync(uri, ct);
        if (content is null) return null;
        return hash ? (content.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(content, ct))) : (content.Length, "");
    }
}
