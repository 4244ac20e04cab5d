using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// Visits under way: so many at once, and what has come is handed over soon, some together. Whoever ends it waits for what it had begun.
/// </summary>
internal sealed class CrawlFlight : IAsyncDisposable
{
    // A crash asks again for what was under way, and for what came within this time.
    private static readonly TimeSpan KeepWithin = TimeSpan.FromMilliseconds(100);
    private const int KeepTogether = 8;
    private const int TakeTogether = 32;

    private readonly NpgsqlDataSource _worker;
    private readonly CrawlVisits _visits;
    private readonly Crawl _crawl;
    private readonly int _most;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop;
    private readonly Queue<CrawlRow> _waiting = new();
    private readonly List<(CrawlRow Row, Task<CrawlVisit> Visit)> _flying = [];

    public CrawlFlight(NpgsqlDataSource worker, CrawlVisits visits, Crawl crawl, int most, TimeProvider time, CancellationToken ct) =>
        (_worker, _visits, _crawl, _most, _time, _stop) = (worker, visits, crawl, most, time, CancellationTokenSource.CreateLinkedTokenSource(ct));

    /// <summary>Visits that have ended, at least one; null where none is under way and nothing more is to be had.</summary>
    /// <param name="refill">False: nothing more is begun.</param>
    public async Task<List<CrawlVisit>?> NextAsync(bool refill)
    {
        var done = new List<CrawlVisit>();
        var first = 0L;
        while (true)
        {
            if (refill) await RefillAsync(done);
            if (_flying.Count == 0) return done.Count > 0 ? done : null;
            var left = KeepWithin - _time.GetElapsedTime(first);
            if (done.Count >= KeepTogether || (done.Count > 0 && left <= TimeSpan.Zero)) return done;
            var visits = _flying.Select(f => (Task)f.Visit);
            await Task.WhenAny(done.Count > 0 ? visits.Append(Task.Delay(left, _time, _stop.Token)) : visits);
            foreach (var ended in _flying.Where(f => f.Visit.IsCompleted).ToList())
            {
                _flying.Remove(ended);
                if (done.Count == 0) first = _time.GetTimestamp();
                done.Add(await ended.Visit);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        // How they end is nobody's business any more.
        await Task.WhenAll(_flying.Select(f => f.Visit)).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        _stop.Dispose();
    }

    private async Task RefillAsync(List<CrawlVisit> done)
    {
        if (_waiting.Count == 0 && _flying.Count < _most)
            foreach (var row in await CrawlFrontier.NextAsync(_worker, _crawl.Input.InputId, _crawl.Limits, TakeTogether, [.. _flying.Select(f => f.Row.Id), .. done.Select(d => d.End.Id)], _stop.Token))
                _waiting.Enqueue(row);
        while (_flying.Count < _most && _waiting.TryDequeue(out var row)) _flying.Add((row, _visits.VisitAsync(_crawl, row, _stop.Token)));
    }
}
