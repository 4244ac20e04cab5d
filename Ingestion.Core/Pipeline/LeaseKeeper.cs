using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// Extends this process's leases, notices within a second when one was taken away (cancelled, rescued) and interrupts its work, and at
/// a stop gives everything back at once.
/// </summary>
public sealed class LeaseKeeper(NpgsqlDataSource worker, RunningTasks running, Events.Hints hints, PipelineOptions options, TimeProvider time, ILogger<LeaseKeeper> log) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var renewed = time.GetTimestamp();
        using var timer = new PeriodicTimer(Look < options.Heartbeat ? Look : options.Heartbeat);
        while (await TickAsync(timer, stoppingToken))
        {
            var held = running.All;
            if (held.Count == 0) continue;
            try
            {
                await using var connection = await worker.OpenConnectionAsync(stoppingToken);
                var ids = held.Select(h => h.Task.Id).ToArray();
                if (time.GetElapsedTime(renewed) >= options.Heartbeat)
                {
                    await ImportQueue.RenewAsync(connection, running.Worker, ids, options.Lease, stoppingToken);
                    renewed = time.GetTimestamp();
                }
                var standing = await ImportQueue.StandingAsync(connection, running.Worker, ids, stoppingToken);
                foreach (var h in held.Where(h => !standing.Contains((h.Task.Id, h.Task.Attempt)))) h.TakeAway();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it was: without renewals every lease here would run out, so it is tried again at the next tick.
                log.RenewFailed(e.Message);
            }
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        running.Stop();
        await base.StopAsync(cancellationToken);
        // Work that heeds its token ends by itself within moments; what does not is given back under its feet, and the fence holds.
        for (var deadline = time.GetTimestamp(); running.Busy && time.GetElapsedTime(deadline) < StopGrace;)
            await Task.Delay(TimeSpan.FromMilliseconds(20), time, CancellationToken.None);
        try
        {
            await using var connection = await worker.OpenConnectionAsync(CancellationToken.None);
            var batches = await ImportQueue.ReleaseAsync(connection, running.Worker, CancellationToken.None);
            if (batches.Count > 0) log.Released(batches.Count);
            foreach (var b in batches.Distinct()) hints.Progressed(b);
        }
        catch (Exception e) when (Transient.Is(e) || e is ObjectDisposedException)
        {
            log.RenewFailed(e.Message);
        }
    }

    private static async Task<bool> TickAsync(PeriodicTimer timer, CancellationToken ct)
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
