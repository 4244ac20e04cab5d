using Ingestion.Core.Artifacts;
using Ingestion.Core.Sources;
using Npgsql;

namespace Ingestion.Core.Pipeline.Duties;

/// <summary>Removes files that nothing refers to: dead intents, uploads that were forgotten, and uploads whose bytes the store has.</summary>
public sealed class SweepFiles(NpgsqlDataSource worker, IArtifactStore store, UploadFiles uploads) : IDuty
{
    /// <summary>No task runs this long; an older intent that is not live never will be.</summary>
    public static readonly TimeSpan IntentLife = TimeSpan.FromHours(24);

    public string Name => "sweep";

    public string Purpose => "Removes files that nothing refers to.";

    public TimeSpan Interval => TimeSpan.FromMinutes(5);

    public async Task RunAsync(DutyTurn turn, CancellationToken ct)
    {
        // The file first: a crash in between leaves an intent that is found again, never a file that nothing names.
        var dead = await ListAsync("SELECT uri FROM ingestion.artifact WHERE NOT live AND created_at < ingestion.clock() - $1 LIMIT 10000", IntentLife, ct);
        foreach (var uri in dead) await store.DeleteAsync(new Uri(uri), ct);
        await ListAsync("DELETE FROM ingestion.artifact WHERE NOT live AND uri = ANY($1) RETURNING uri", dead.ToArray(), ct);
        await ListAsync("DELETE FROM ingestion.upload WHERE batch_id IS NULL AND updated_at < ingestion.clock() - $1 RETURNING public_id", IntentLife, ct);
        foreach (var id in await ListAsync("""
            UPDATE ingestion.upload u SET removed_at = ingestion.clock()
            WHERE u.removed_at IS NULL AND u.completed_at < ingestion.clock() - $1 AND u.purpose IN ('file', 'archive')
              AND EXISTS (SELECT 1 FROM ingestion.import_item i WHERE i.upload_id = u.id)
              AND NOT EXISTS (SELECT 1 FROM ingestion.import_item i WHERE i.upload_id = u.id AND i.source_version_id IS NULL)
              AND NOT EXISTS (SELECT 1 FROM ingestion.import_input n WHERE u.purpose = 'archive' AND n.batch_id = u.batch_id AND n.spec ->> 'upload' = u.public_id AND n.state <> 'done')
            RETURNING u.public_id
            """, TimeSpan.FromMinutes(1), ct))
            File.Delete(uploads.PathOf(id));
        await RemoveStrangersAsync(ct);
    }

    // A file whose row is gone: its draft was discarded, or it was forgotten above.
    private async Task RemoveStrangersAsync(CancellationToken ct)
    {
        foreach (var part in Directory.EnumerateFiles(uploads.Folder).Chunk(1000))
        {
            var known = (await ListAsync("SELECT public_id FROM ingestion.upload WHERE public_id = ANY($1) AND removed_at IS NULL", part.Select(f => Path.GetFileName(f)!).ToArray(), ct)).ToHashSet();
            foreach (var file in part.Where(f => !known.Contains(Path.GetFileName(f)))) File.Delete(file);
        }
    }

    private async Task<List<string>> ListAsync(string sql, object parameter, CancellationToken ct)
    {
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = parameter });
        await using var r = await command.ExecuteReaderAsync(ct);
        var values = new List<string>();
        while (await r.ReadAsync(ct)) values.Add(r.GetString(0));
        return values;
    }
}
