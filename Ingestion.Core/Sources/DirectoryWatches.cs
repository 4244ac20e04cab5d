using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Sources;

/// <summary>
/// Begins the syncs of directories that are watched when what they hold has changed. One process watches a directory, by a lease in its
/// row; where it dies another takes over and finds by looking what happened meanwhile.
/// </summary>
public sealed class DirectoryWatches(
    Database database, ServerFiles files, Submission submission, RunningTasks running, IOptionsMonitor<SourceOptions> options, TimeProvider time, ILogger<DirectoryWatches> log) : BackgroundService
{
    /// <summary>Who a watch's batches are by where its connection's owner is not known.</summary>
    private const string By = "watch";

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private readonly Dictionary<long, Watch> _watches = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await BeatAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (Transient.Is(e) || e is PostgresException or ObjectDisposedException)
            {
                log.WatchFailed(e.Message);
            }
            await Task.Delay(Beat, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        foreach (var watch in _watches.Values) watch.Dispose();
        _watches.Clear();
    }

    /// <summary>Takes or keeps the leases that are to be had, and looks where it is time to. Returns how many directories this process watches.</summary>
    internal async Task<int> BeatAsync(CancellationToken ct)
    {
        var held = await HoldAsync(ct);
        foreach (var lost in _watches.Keys.Except(held.Select(h => h.Id)).ToList())
        {
            _watches[lost].Dispose();
            _watches.Remove(lost);
        }
        foreach (var directory in held) await LookAsync(directory, ct);
        return held.Count;
    }

    private async Task LookAsync(Held held, CancellationToken ct)
    {
        if (!_watches.TryGetValue(held.Id, out var watch)) _watches[held.Id] = watch = new();
        string? note = null;
        try
        {
            var path = files.Resolve(held.Path);
            if (options.CurrentValue.WatchEvents) watch.Listen(path, time);
            if (!watch.IsTime(options.CurrentValue, time)) return;
            var print = await Task.Run(() => PrintOf(path), ct);
            watch.Looked(time);
            if (print == held.Print) return;
            // What is being listed now may not have seen the change: looked at again once that is done.
            if (held.Busy) watch.LookAgain();
            else await BeginAsync(held, print, ct);
        }
        catch (Exception e) when (e is IngestionException or IOException or UnauthorizedAccessException)
        {
            watch.Looked(time);
            // What comes back under this path is another directory.
            watch.Unlisten();
            note = e is IngestionException ? e.Message : "The directory cannot be read.";
        }
        if (note != watch.Note) await NoteAsync(held.Id, watch.Note = note, ct);
    }

    // The key is the same whoever submits this turn, so one batch comes of it; the row moves on afterwards, and a crash in between repeats the submission.
    private async Task BeginAsync(Held held, string print, CancellationToken ct)
    {
        var key = string.Create(CultureInfo.InvariantCulture, $"{By}/{held.Key}/{held.Id}/{held.Turns}");
        await submission.SubmitAsync(new Actor(held.TenantId, held.Owner, By), new($"{held.Name}, because files changed") { Collection = held.Collection, Sources = [new(SourceTypes.LocalDirectory, held.Key)] },
            new(key, SHA256.HashData(Encoding.UTF8.GetBytes(key))), ct);
        await using var command = database.Worker.CreateCommand("UPDATE ingestion.directory_watch SET print = $2, turns = turns + 1 WHERE connection_id = $1 AND turns = $3");
        command.Parameters.Add(new() { Value = held.Id });
        command.Parameters.Add(new() { Value = print });
        command.Parameters.Add(new() { Value = held.Turns });
        await command.ExecuteNonQueryAsync(ct);
    }

    private async Task<List<Held>> HoldAsync(CancellationToken ct)
    {
        const string watched = """
            FROM ingestion.connection n
            JOIN ingestion.tenant t ON t.id = n.tenant_id AND t.disabled_at IS NULL
            WHERE n.kind = 'local_directory' AND n.settings @> '{"watch": true}' AND n.disabled_at IS NULL AND n.deleted_at IS NULL
            """;
        const string sql = $"""
            INSERT INTO ingestion.directory_watch (connection_id, tenant_id, lease_until)
            SELECT n.id, n.tenant_id, ingestion.clock() {watched} AND NOT EXISTS (SELECT FROM ingestion.directory_watch w WHERE w.connection_id = n.id)
            ON CONFLICT (connection_id) DO NOTHING;

            WITH free AS (
                SELECT w.connection_id
                FROM ingestion.directory_watch w
                WHERE (w.worker = @me OR w.worker IS NULL OR w.lease_until <= ingestion.clock()) AND w.connection_id IN (SELECT n.id {watched})
                ORDER BY w.connection_id
                FOR UPDATE SKIP LOCKED
            )
            UPDATE ingestion.directory_watch w SET worker = @me, lease_until = ingestion.clock() + @lease
            FROM free, ingestion.connection n
            WHERE w.connection_id = free.connection_id AND n.id = w.connection_id
            RETURNING n.id, n.tenant_id, n.key, n.name, n.created_by, n.settings->>'path', w.print, w.turns,
                      coalesce((SELECT c.key FROM ingestion.collection c WHERE c.id = n.collection_id), @collection),
                      EXISTS (SELECT FROM ingestion.sync_source s JOIN ingestion.sync_run r ON r.sync_source_id = s.id JOIN ingestion.import_batch b ON b.id = r.batch_id
                              WHERE s.tenant_id = n.tenant_id AND s.connection_id = n.key AND b.completed_at IS NULL AND b.deleted_at IS NULL);
            """;
        await using var connection = await database.Worker.OpenConnectionAsync(ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("me", running.Worker), new("lease", Lease), new("collection", Collection.DefaultKey) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var held = new List<Held>();
        while (await r.ReadAsync(ct))
            held.Add(new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetString(5), r.IsDBNull(6) ? null : r.GetString(6), r.GetInt64(7), r.GetString(8), r.GetBoolean(9)));
        return held;
    }

    private async Task NoteAsync(long connection, string? note, CancellationToken ct)
    {
        await using var command = database.Worker.CreateCommand("UPDATE ingestion.connection SET schedule_note = $2 WHERE id = $1");
        command.Parameters.Add(new() { Value = connection });
        command.Parameters.Add(new() { Value = (object?)note ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        await command.ExecuteNonQueryAsync(ct);
    }

    // The same for the same names, sizes and times, in whatever order they are read. Nothing is held in memory but the sum.
    private static string PrintOf(string path)
    {
        var (sum, count) = (UInt128.Zero, 0L);
        foreach (var (key, length, changed) in DirectoryConnector.Files(path))
        {
            var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{key}\0{length}\0{changed.UtcTicks}")));
            (sum, count) = (unchecked(sum + System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash)), count + 1);
        }
        return string.Create(CultureInfo.InvariantCulture, $"{count}:{sum:x32}");
    }

    private sealed record Held(long Id, string TenantId, string Key, string Name, string Owner, string Path, string? Print, long Turns, string Collection, bool Busy);

    /// <summary>One directory, as this process watches it.</summary>
    private sealed class Watch : IDisposable
    {
        private DirectoryEar? _ear;
        private long _looked;
        private bool _again;
        private bool _cannotHear;

        public string? Note { get; set; }

        /// <summary>Listens at this path, and anew where it could not hear any more. A system that lets nobody listen is looked at by the clock.</summary>
        public void Listen(string path, TimeProvider time)
        {
            if (_ear is { Deaf: false } && _ear.Path == path) return;
            if (_ear is null && _cannotHear) return;
            if (_ear is not null) _again = true;
            _ear?.Dispose();
            try
            {
                _ear = new(path, time);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                (_ear, _cannotHear) = (null, true);
            }
        }

        public bool IsTime(SourceOptions options, TimeProvider time) =>
            _again || _looked == 0 || time.GetElapsedTime(_looked) >= options.WatchPoll || _ear?.HeardAndQuiet(options.WatchRest) == true;

        public void Looked(TimeProvider time) => (_looked, _again) = (Math.Max(1, time.GetTimestamp()), false);

        public void LookAgain() => _again = true;

        public void Unlisten()
        {
            _ear?.Dispose();
            _ear = null;
        }

        public void Dispose() => _ear?.Dispose();
    }
}
