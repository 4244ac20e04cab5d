using Ingestion.Core.Artifacts;
using Ingestion.Core.Indexing;
using Npgsql;

namespace Ingestion.Core.Pipeline.Verify;

/// <summary>
/// Mends what checks found, but only what the pipeline would do by itself, or what nobody can miss. Each repair may be asked for again
/// and beside running work. Every one that was made is an audit entry.
/// </summary>
public sealed class Repairs(NpgsqlDataSource worker, IArtifactStore store, BatchDuties duties, PublishedNames names)
{
    private static readonly Actor CommandLine = new("default", "command line");

    /// <summary>Returns a sentence for each repair that was made.</summary>
    internal async Task<IReadOnlyList<string>> RunAsync(VerifyReport found, FileChecks files, VerifyRequest request, CancellationToken ct)
    {
        var made = new List<string>();
        // Two checks may be mended by one act; it is then done twice, which does no harm.
        foreach (var check in found.Checks.Where(c => c.Count > 0 && (request.Only is null || request.Only == c.Name)))
        {
            if (await MendAsync(check.Name, files, ct) is not { } sentence) continue;
            await using var connection = await worker.OpenConnectionAsync(ct);
            await AuditLog.WriteAsync(connection, request.By ?? CommandLine, "repair", $"check {check.Name}", ct, $$"""{"found":{{check.Count}}}""");
            made.Add(sentence);
        }
        return made;
    }

    private async Task<string?> MendAsync(string check, FileChecks files, CancellationToken ct)
    {
        switch (check)
        {
            case AttemptChecks.ExpiredLease:
                await duties.RescueAsync(everything: false, ct);
                return "Took back tasks whose lease had run out.";
            case ItemChecks.StuckBatch:
                await duties.FinishAsync(ct);
                return "Ended batches that nobody had ended.";
            case ItemChecks.HalfCancelled:
                await duties.FinishAsync(ct);
                return "Carried out cancels.";
            case ItemChecks.JobFlags:
                return $"Set the jobs of {await SetJobFlagsAsync(ct)} batches as their states say.";
            case ContentChecks.Claims:
                return $"Gave up {await GiveUpClaimsAsync(ct)} claims of items that have ended.";
            case FileChecks.LostName:
                return await ExportAsync(files.LostNames, ct) is > 0 and var exported ? $"Wrote {exported} published documents to their names again." : null;
            case FileChecks.Stranger:
                foreach (var file in files.DeadFiles) await store.DeleteAsync(file, ct);
                return $"Deleted {files.DeadFiles.Count} files that no row names.";
            default:
                return null;
        }
    }

    // Each batch under the locks of whoever changes its state.
    private async Task<int> SetJobFlagsAsync(CancellationToken ct)
    {
        // An ended batch works while something that a reviewer decided afterwards is on its way.
        const string works = """
            (b.state IN ('running', 'retrying') OR (b.completed_at IS NOT NULL AND EXISTS (
                SELECT FROM ingestion.import_task_run t JOIN ingestion.review_item r ON r.item_id = t.item_id AND r.state <> 'open'
                WHERE t.batch_id = b.id AND t.state IN ('ready', 'running'))))
            """;
        const string wrong = $"""
            SELECT DISTINCT b.id
            FROM ingestion.import_batch b
            JOIN ingestion.import_job j ON j.batch_id = b.id
            WHERE CASE WHEN {works} THEN b.desired_state = 'run' AND NOT j.active ELSE j.active END
            ORDER BY b.id
            """;
        const string set = $"""
            UPDATE ingestion.import_job j SET active = {works}
            FROM ingestion.import_batch b WHERE b.id = $1 AND j.batch_id = b.id AND j.active <> {works}
            """;
        var batches = new List<long>();
        await using (var command = worker.CreateCommand(wrong))
        await using (var r = await command.ExecuteReaderAsync(ct))
            while (await r.ReadAsync(ct)) batches.Add(r.GetInt64(0));
        foreach (var batch in batches)
        {
            await using var connection = await worker.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            if (await BatchRow.LockAsync(connection, batch, null, ct) is null) continue;
            await using var command = new NpgsqlCommand(set, connection) { Parameters = { new() { Value = batch } } };
            await command.ExecuteNonQueryAsync(ct);
            await transaction.CommitAsync(ct);
        }
        return batches.Count;
    }

    private async Task<int> GiveUpClaimsAsync(CancellationToken ct)
    {
        await using var command = worker.CreateCommand("DELETE FROM ingestion.content_claim c WHERE NOT EXISTS (SELECT FROM ingestion.import_item i WHERE i.id = c.item_id AND i.state = 'open')");
        return await command.ExecuteNonQueryAsync(ct);
    }

    private async Task<int> ExportAsync(IEnumerable<long> versions, CancellationToken ct)
    {
        var exported = 0;
        foreach (var version in versions)
        {
            try
            {
                await names.ExportAsync(version, ct);
                exported++;
            }
            catch (IOException)
            {
                // Its own files are gone: the second look tells which.
                continue;
            }
        }
        return exported;
    }
}
