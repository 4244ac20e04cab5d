using System.Diagnostics;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Live;

/// <summary>What every feed stands on.</summary>
internal sealed record LiveSources(BatchHub Hub, ImportEventListener Listener, ImportEvents Events, BatchQueries Batches, BatchWatch Watch, TimeProvider Time, ILogger<LiveFeed> Log);

/// <summary>
/// Reads something once for all who follow it here: after a hint, or by the clock, and no more often than the number of readers and the
/// cost of reading allow. It runs while it has readers, and holds a database connection only while it reads.
/// </summary>
/// <param name="watched">The batch whose hints it heeds, or <see cref="BatchHub.All"/>.</param>
/// <param name="shortest">The least rest between two readings.</param>
internal abstract class LiveFeed(LiveSources sources, long watched, TimeSpan shortest)
{
    /// <summary>A connection on which nothing was said for this long is told that it is alive.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PollWithoutHints = TimeSpan.FromSeconds(1);

    // Readers that one process can serve in a second: beyond, everybody waits a little longer.
    private const double ReadersPerSecond = 9_000;

    private readonly HashSet<LiveReader> _readers = [];
    private readonly CancellationTokenSource _stop = new();

    protected LiveSources Sources { get; } = sources;

    /// <summary>True once there is nothing to follow any more: it was deleted, or is out of reach.</summary>
    public bool Gone { get; protected set; }

    public int Readers
    {
        get
        {
            lock (_readers) return _readers.Count;
        }
    }

    public void Add(LiveReader reader)
    {
        lock (_readers) _readers.Add(reader);
        reader.Signal();
    }

    /// <summary>Returns how many are left.</summary>
    public int Remove(LiveReader reader)
    {
        lock (_readers)
        {
            _readers.Remove(reader);
            return _readers.Count;
        }
    }

    public void Start() => _ = RunAsync(_stop.Token);

    public void Stop() => _stop.Cancel();

    /// <summary>Reads what is new; true where there is something.</summary>
    protected abstract Task<bool> ReadAsync(CancellationToken ct);

    protected bool IsWanted(LiveWants wants)
    {
        lock (_readers) return _readers.Any(r => r.Wants.HasFlag(wants));
    }

    /// <summary>The rest after a reading: the least, or longer where very many follow or reading is expensive.</summary>
    internal static TimeSpan Pause(TimeSpan shortest, int readers, TimeSpan cost)
    {
        var crowded = TimeSpan.FromSeconds(readers / ReadersPerSecond);
        var rest = cost * 4 < Longest ? cost * 4 : Longest;
        var longer = crowded > rest ? crowded : rest;
        return longer > shortest ? longer : shortest;
    }

    private async Task RunAsync(CancellationToken ct)
    {
        using var hints = Sources.Hub.Subscribe(watched);
        var (told, first) = (Sources.Time.GetTimestamp(), true);
        try
        {
            while (!Gone)
            {
                var started = Stopwatch.GetTimestamp();
                if (await TryReadAsync(ct) || Gone || Sources.Time.GetElapsedTime(told) >= Beat)
                {
                    told = Sources.Time.GetTimestamp();
                    SignalAll();
                }
                // The first reading is slow for reasons of its own (a connection, a plan) and says nothing about the next.
                await Task.Delay(Pause(shortest, Readers, first ? TimeSpan.Zero : Stopwatch.GetElapsedTime(started)), Sources.Time, ct);
                first = false;
                await hints.WaitAsync(Sources.Listener.Connected ? Poll : PollWithoutHints, ct);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Nobody reads any more.
            return;
        }
        catch (Exception e)
        {
            // Whoever follows is sent away and may come again, which starts anew.
            Sources.Log.FeedBroke(e);
            Gone = true;
            SignalAll();
        }
    }

    private async Task<bool> TryReadAsync(CancellationToken ct)
    {
        try
        {
            return await ReadAsync(ct);
        }
        catch (Exception e) when (Transient.Is(e))
        {
            // What was read last stays; the next look comes by the clock.
            Sources.Log.FeedNotRead(e.Message);
            return false;
        }
    }

    private void SignalAll()
    {
        lock (_readers)
            foreach (var reader in _readers) reader.Signal();
    }
}
