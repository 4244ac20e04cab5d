using System.Collections.Concurrent;

namespace Ingestion.Core.Sources;

/// <summary>
/// Keeps this process polite: so many requests in flight in all and per host, and an even spacing of what is begun per host.
/// Remembers only hosts in use and those whose spacing is not over.
/// </summary>
internal sealed class HostPace(int maxInFlight, int perHost, int perMinute, TimeProvider time)
{
    private const int PruneAbove = 1000;
    private readonly SemaphoreSlim _all = new(maxInFlight);
    private readonly ConcurrentDictionary<string, Host> _hosts = new();

    /// <summary>Hosts remembered at the moment.</summary>
    internal int Count => _hosts.Count;

    /// <summary>Waits for a turn at this host. Disposing what is returned gives the turn back.</summary>
    /// <param name="own">The host's own rate in requests a minute; null where the common one holds.</param>
    public async Task<Turn> EnterAsync(string host, CancellationToken ct, int? own = null)
    {
        var entry = Rent(host);
        var (taken, begun) = (0, time.GetTimestamp());
        try
        {
            // The host first: a slow host's queue must not hold places that others could use.
            await entry.Places.WaitAsync(ct);
            taken = 1;
            var queued = time.GetElapsedTime(begun);
            var rate = own ?? perMinute;
            var wait = entry.Reserve(time, rate > 0 ? TimeSpan.FromMinutes(1) / rate : TimeSpan.Zero);
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, time, ct);
            begun = time.GetTimestamp();
            await _all.WaitAsync(ct);
            return new Turn(this, entry, wait > TimeSpan.Zero ? wait : TimeSpan.Zero, queued + time.GetElapsedTime(begun));
        }
        catch
        {
            Return(entry, taken);
            throw;
        }
    }

    private Host Rent(string host)
    {
        if (_hosts.Count > PruneAbove)
            Prune();
        while (true)
        {
            var entry = _hosts.GetOrAdd(host, static (_, places) => new Host(places), perHost);
            if (entry.TryRent())
                return entry;
            // It is being pruned at this moment; the next look finds its place empty.
            _hosts.TryRemove(KeyValuePair.Create(host, entry));
        }
    }

    private static void Return(Host entry, int taken)
    {
        if (taken > 0)
            entry.Places.Release(taken);
        entry.Return();
    }

    private void Prune()
    {
        foreach (var pair in _hosts)
        {
            if (pair.Value.TryRetire(time))
                _hosts.TryRemove(pair);
        }
    }

    /// <summary>A turn that has come.</summary>
    /// <param name="spaced">How long it was waited for by the rate.</param>
    /// <param name="queued">How long because as many requests as are allowed were in flight.</param>
    internal sealed class Turn(HostPace pace, Host entry, TimeSpan spaced, TimeSpan queued) : IDisposable
    {
        private int _returned;

        public TimeSpan Spaced => spaced;

        public TimeSpan Queued => queued;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _returned, 1) != 0)
                return;
            pace._all.Release();
            Return(entry, 1);
        }
    }

    internal sealed class Host(int places)
    {
        private readonly Lock _lock = new();
        private int _users;
        private bool _retired;
        private DateTimeOffset _next;

        public SemaphoreSlim Places { get; } = new(places);

        public bool TryRent()
        {
            lock (_lock)
            {
                if (_retired)
                    return false;
                _users++;
                return true;
            }
        }

        public void Return()
        {
            lock (_lock)
                _users--;
        }

        public bool TryRetire(TimeProvider time)
        {
            lock (_lock)
                return _retired = _users == 0 && _next <= time.GetUtcNow();
        }

        /// <summary>Takes the next moment at which a request may begin; returns how far off it is.</summary>
        public TimeSpan Reserve(TimeProvider time, TimeSpan spacing)
        {
            lock (_lock)
            {
                var now = time.GetUtcNow();
                // A clock set back must not hold everything up: no wait is longer than a full queue would make it.
                if (_next < now || _next > now + (spacing * (places + 1)))
                    _next = now;
                var wait = _next - now;
                _next += spacing;
                return wait;
            }
        }
    }
}
