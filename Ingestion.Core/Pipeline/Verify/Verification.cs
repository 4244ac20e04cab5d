using System.Data;
using System.Diagnostics;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Sources;
using Npgsql;

namespace Ingestion.Core.Pipeline.Verify;

/// <summary>
/// Recounts everything: that nothing is lost, nothing doubled, and every figure follows from the rows. All queries see one snapshot, so
/// the answer is exact while the pipeline works.
/// </summary>
public sealed class Verification(NpgsqlDataSource worker, IArtifactStore store, UploadFiles uploads, Repairs repairs, PipelineOptions options)
{
    // A verification reads everything; a second one at the same time would only slow both.
    private readonly SemaphoreSlim _one = new(1, 1);

    private static readonly IReadOnlyList<Check> Checks =
        [.. ItemChecks.All, .. ContentChecks.All, .. LogChecks.All, .. AttemptChecks.All, .. WebhookChecks.All, .. PercentageChecks.All];

    /// <summary>Looks, and with <see cref="VerifyRequest.Repair"/> mends and looks again.</summary>
    /// <param name="progress">Told of each check as it ends; after a repair of each once more.</param>
    public async Task<VerifyReport> RunAsync(VerifyRequest request, CancellationToken ct, IProgress<CheckResult>? progress = null)
    {
        await _one.WaitAsync(ct);
        try
        {
            var (report, files) = await LookAsync(request.Quick, progress, ct);
            if (!request.Repair || report.Clean) return report;
            var made = await repairs.RunAsync(report, files, request, ct);
            return made.Count == 0 ? report : (await LookAsync(request.Quick, progress, ct)).Report with { Repairs = made };
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<(VerifyReport Report, FileChecks Files)> LookAsync(bool quick, IProgress<CheckResult>? progress, CancellationToken ct)
    {
        var files = new FileChecks(store, uploads);
        var started = Stopwatch.GetTimestamp();
        await files.ListAsync(ct);
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        // Whole tables are read here on purpose, and nothing is written; files are read meanwhile, however long that takes.
        await ExecuteAsync(connection, "SET TRANSACTION READ ONLY; SET LOCAL enable_seqscan = on; SET LOCAL jit = off; SET LOCAL idle_in_transaction_session_timeout = 0", ct);
        var at = await MomentAsync(connection, ct);
        var results = new List<CheckResult>();
        foreach (var check in Checks) Add(await RunAsync(connection, check, ct));

        await files.RunAsync(connection, worker, quick, ct);
        var took = Stopwatch.GetElapsedTime(started).TotalMilliseconds - results.Sum(r => r.Milliseconds);
        Add(Result("I6", "artifact_file_exists", files.Missing, took));
        Add(Result("I6", "artifact_file_is_unchanged", files.Changed, 0));
        Add(Result("I6", FileChecks.Stranger, files.Strangers, 0));
        Add(Result("I6", FileChecks.LostName, files.Names, 0));
        Add(Result("I6", "upload_file_exists", files.Uploads, 0));

        started = Stopwatch.GetTimestamp();
        var percentages = await PercentageChecks.FormulaAsync(connection, ct);
        Add(Result("I8", "percentages_follow_from_items", percentages, Stopwatch.GetElapsedTime(started).TotalMilliseconds));
        return (new(at, [.. results.OrderBy(r => r.Invariant, StringComparer.Ordinal)], await NotesAsync(connection, ct), []), files);

        void Add(CheckResult result)
        {
            results.Add(result);
            progress?.Report(result);
        }
    }

    private async Task<CheckResult> RunAsync(NpgsqlConnection connection, Check check, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        await using var command = new NpgsqlCommand($"SELECT count(*) OVER (), v.subject, v.sentence FROM (\n{check.Sql}\n) v LIMIT {VerifyReport.Listed}", connection)
        {
            CommandTimeout = 0,
            Parameters = { new("sweep", options.Heartbeat + 2 * options.Sweep) },
        };
        var (count, first) = (0L, new List<Violation>());
        await using var r = await command.ExecuteReaderAsync(ct);
        while (await r.ReadAsync(ct))
        {
            count = r.GetInt64(0);
            first.Add(new(r.GetString(1), r.GetString(2)));
        }
        return new(check.Invariant, check.Name, count, Stopwatch.GetElapsedTime(started).TotalMilliseconds, first);
    }

    private static CheckResult Result(string invariant, string name, List<Violation> violations, double milliseconds) =>
        new(invariant, name, violations.Count, milliseconds, [.. violations.Take(VerifyReport.Listed)]);

    private static async Task<IReadOnlyList<string>> NotesAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        const string sql = """
            SELECT count(*)::int FROM ingestion.import_task_run t
            WHERE t.state = 'running' AND t.lease_until < ingestion.clock()
              AND NOT EXISTS (SELECT FROM ingestion.worker_process w WHERE w.id = t.worker AND w.stopped_at IS NULL AND w.last_seen_at > t.lease_until)
            """;
        await using var command = new NpgsqlCommand(sql, connection);
        return (int)(await command.ExecuteScalarAsync(ct))! is var orphans and > 0
            ? [$"{orphans} tasks are held by processes that have ended; whoever runs next takes them back."]
            : [];
    }

    private static async Task<DateTimeOffset> MomentAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT ingestion.clock()", connection);
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        return r.GetFieldValue<DateTimeOffset>(0);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
