using System.Collections.Concurrent;
using System.Diagnostics;
using Ingestion.Core.Access;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// One reading for everybody in this process who looks at a batch: read again after the larger of 500 ms and 20 times what reading
/// took, but 10 s at most. So a thousand watchers cost as much as one, and a slow database is asked less.
/// </summary>
public sealed class Shared<T>(TimeProvider time) where T : class
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Forgotten = TimeSpan.FromMinutes(5);
    private const int Many = 1000;
    private readonly ConcurrentDictionary<(Scope Scope, long Batch), Entry> _entries = new();

    public async Task<T> GetAsync(Scope scope, long batchId, Func<Task<T>> read)
    {
        var entry = _entries.GetOrAdd((scope, batchId), _ => new());
        await entry.Gate.WaitAsync();
        try
        {
            if (entry.Value is { } fresh && time.GetElapsedTime(entry.ReadAt) < entry.Keep) return fresh;
            var started = Stopwatch.GetTimestamp();
            entry.Value = await read();
            var cost = Stopwatch.GetElapsedTime(started) * 20;
            // The first reading is slow for reasons of its own (a connection, a plan) and says nothing about the next.
            entry.Keep = entry.ReadAt == 0 || cost < Shortest ? Shortest : cost < Longest ? cost : Longest;
            entry.ReadAt = time.GetTimestamp();
            if (_entries.Count > Many) Forget();
            return entry.Value;
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    /// <summary>The next one to ask reads anew, whatever part of the tenant they see: what was shared is known to be old.</summary>
    public void Drop(string tenantId, long batchId)
    {
        foreach (var key in _entries.Keys.Where(k => k.Batch == batchId && k.Scope.TenantId == tenantId)) _entries.TryRemove(key, out _);
    }

    private void Forget()
    {
        foreach (var old in _entries.Where(e => time.GetElapsedTime(e.Value.ReadAt) > Forgotten).ToList()) _entries.TryRemove(old);
    }

    private sealed class Entry
    {
        public readonly SemaphoreSlim Gate = new(1, 1);
        public T? Value;
        public long ReadAt;
        public TimeSpan Keep;
    }
}
