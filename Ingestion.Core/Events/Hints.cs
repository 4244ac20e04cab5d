using System.Collections.Concurrent;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Ingestion.Core.Events;

/// <summary>
/// Carries "batch N changed" to this process at once and to the others a few times a second. It never notifies from a settling
/// transaction: a notifying commit takes a lock of the whole server.
/// </summary>
public sealed class Hints(NpgsqlDataSource worker, BatchHub hub, ILogger<Hints> log) : BackgroundService
{
    public const string Channel = "ingestion";
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
    private readonly ConcurrentDictionary<long, byte> _changed = new();

    /// <summary>A batch changed after a commit, and tasks of it may have come up: it was submitted, steered, rescued.</summary>
    public void Changed(long batchId)
    {
        Progressed(batchId);
        hub.WorkCameUp();
    }

    /// <summary>A batch went on by itself, and whoever moved it wakes the next stage: only those who watch it have to look.</summary>
    public void Progressed(long batchId)
    {
        hub.Changed(batchId);
        _changed[batchId] = 0;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        while (await NextAsync(timer, stoppingToken))
        {
            if (_changed.IsEmpty) continue;
            var batches = _changed.Keys.ToArray();
            foreach (var b in batches) _changed.TryRemove(b, out _);
            try
            {
                await SendAsync(batches, stoppingToken);
            }
            catch (Exception e) when (Transient.Is(e) || e is NpgsqlException)
            {
                log.HintsNotSent(batches.Length, e.Message);
            }
        }
    }

    private async Task SendAsync(long[] batches, CancellationToken ct)
    {
        // 8 kB is the limit of a payload; 300 numbers stay well below.
        foreach (var part in batches.Chunk(300))
        {
            await using var command = worker.CreateCommand("SELECT pg_notify($1, $2)");
            command.Parameters.Add(new() { Value = Channel });
            command.Parameters.Add(new() { Value = $"{hub.Sender},{string.Join(',', part)}" });
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken ct)
    {
        try
        {
            return await timer.WaitForNextTickAsync(ct);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
