using System.Runtime.ExceptionServices;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// Visits under way: so many at once, also while what came before is being kept, and what has come is handed over soon, some together. Holds no
/// more than it may be ahead of what is kept. Whoever ends it waits for what it had begun.
/// </summary>
internal sealed class CrawlFlight : IAsyncDisposable
{
    // A crash asks again for what was under way, and for what came within this time.
    private static readonly TimeSpan KeepWithin = TimeSpan.FromMilliseconds(100);

    // Visits that are worth a transaction at once.
    private const int KeepTogether = 64;

    // Addresses that are handed out and not kept, for each visit that may be under way.
    private const int Ahead = 16;

    // Links that are found and not kept; with more of them nothing is begun.
    private const int MostLinks = 20_000;

    private readonly NpgsqlDataSource _worker;
    private readonly CrawlVisits _visits;
    private readonly Crawl _crawl;
    private readonly int _most;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop;
    private readonly Lock _lock = new();
    private readonly Queue<CrawlRow> _waiting = new();
    private readonly Dictionary<long, CrawlRow> _out = [];
    private readonly KnownAddresses _known = new();
    private List<CrawlVisit> _done = [];
    private List<CrawlVisit> _keeping = [];
    private TaskCompletionSource _change = New();
    private ExceptionDispatchInfo? _failure;
    private int _flying;
    private int _links;
    private int? _visited;
    private bool _asking;
    private bool _more = true;
    private bool _ending;
    private long _first;

    /// <param name="most">Visits at once.</param>
    public CrawlFlight(NpgsqlDataSource worker, CrawlVisits visits, Crawl crawl, int most, TimeProvider time, CancellationToken ct) =>
        (_worker, _visits, _crawl, _most, _time, _stop) = (worker, visits, crawl, most, time, CancellationTokenSource.CreateLinkedTokenSource(ct));

    /// <summary>
    /// Visits that have ended, at least one; null where none is under way and nothing more is to be had. What was handed over before is kept by
    /// now, and what it found can be handed out.
    /// </summary>
    /// <param name="refill">False: nothing more is begun.</param>
    public async Task<IReadOnlyList<CrawlVisit>?> NextAsync(bool refill)
    {
        lock (_lock)
        {
            Kept();
            if (!refill) End();
            Advance();
        }
        while (true)
        {
            Task change;
            TimeSpan? left = null;
            lock (_lock)
            {
                var idle = _flying == 0 && !_asking;
                if (_done.Count > 0)
                {
                    left = KeepWithin - _time.GetElapsedTime(_first);
                    if (idle || _failure is not null || left <= TimeSpan.Zero || _done.Count >= KeepTogether || _links >= MostLinks) return HandOver();
                }
                else
                {
                    _failure?.Throw();
                    if (idle) return null;
                }
                change = _change.Task;
            }
            await (left is { } wait ? Task.WhenAny(change, Task.Delay(wait, _time, _stop.Token)) : change.WaitAsync(_stop.Token));
            _stop.Token.ThrowIfCancellationRequested();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        while (true)
        {
            Task change;
            lock (_lock)
            {
                // How they end is nobody's business any more.
                if (_flying == 0 && !_asking) break;
                change = _change.Task;
            }
            await change;
        }
        foreach (var visit in _done) visit.Drop();
        _stop.Dispose();
    }

    private IReadOnlyList<CrawlVisit> HandOver()
    {
        (_keeping, _done) = (_done, []);
        return _keeping;
    }

    // What was handed over is in the database: what it found is known there, and what it was no longer counts as under way.
    private void Kept()
    {
        foreach (var visit in _keeping)
        {
            if (_out.Remove(visit.End.Id, out var row) && row.Kind == CrawlAddress.Page && visit.End.State is not ("waiting" or "stopped")) _visited++;
            _links -= visit.Found.Count;
            foreach (var found in visit.Found) _known.Add(found.Url);
        }
        if (_keeping.Count > 0) _more = true;
        _keeping = [];
    }

    private void End()
    {
        _ending = true;
        while (_waiting.TryDequeue(out var row)) _out.Remove(row.Id);
    }

    private void Advance()
    {
        if (_ending || _failure is not null || _stop.IsCancellationRequested) return;
        while (_flying < _most && _links < MostLinks && _waiting.TryDequeue(out var row))
        {
            _flying++;
            _ = Task.Run(() => VisitAsync(row));
        }
        var room = Room();
        if (!_more || _asking || _waiting.Count >= _most || room <= 0) return;
        (_asking, _more) = (true, false);
        var (visited, busy) = (_visited, _out.Keys.ToArray());
        _ = Task.Run(() => AskAsync(room, visited, busy));
    }

    // Addresses that may still be handed out now.
    private int Room() => Math.Min(Ahead * _most - _out.Count, _visited is { } visited ? _crawl.Limits.Pages - visited - _out.Count : int.MaxValue);

    private async Task VisitAsync(CrawlRow row)
    {
        try
        {
            var visit = await _visits.VisitAsync(_crawl, row, _stop.Token);
            lock (_lock)
            {
                visit = visit with { Found = [.. visit.Found.Where(f => !_known.Contains(f.Url))] };
                if (_done.Count == 0) _first = _time.GetTimestamp();
                _done.Add(visit);
                _links += visit.Found.Count;
            }
        }
        catch (Exception e)
        {
            lock (_lock) _failure ??= ExceptionDispatchInfo.Capture(e);
        }
        lock (_lock)
        {
            _flying--;
            Changed();
        }
    }

    private async Task AskAsync(int room, int? known, long[] busy)
    {
        try
        {
            // Nobody else moves this crawl, so it is counted once and then known.
            var visited = known ?? await CrawlFrontier.VisitedAsync(_worker, _crawl.Input.InputId, _crawl.Limits, _stop.Token);
            var take = Math.Min(room, _crawl.Limits.Pages - visited - busy.Length);
            var rows = take > 0 ? await _visits.KnownAsync(_crawl, await CrawlFrontier.NextAsync(_worker, _crawl.Input.InputId, _crawl.Limits, take, busy, _stop.Token), _stop.Token) : [];
            lock (_lock)
            {
                _visited ??= visited;
                if (_ending) rows = [];
                foreach (var row in rows)
                {
                    _out.Add(row.Id, row);
                    _waiting.Enqueue(row);
                }
                _more |= take > 0 && rows.Count == take;
            }
        }
        catch (Exception e)
        {
            lock (_lock) _failure ??= ExceptionDispatchInfo.Capture(e);
        }
        lock (_lock)
        {
            _asking = false;
            Changed();
        }
    }

    private void Changed()
    {
        Advance();
        var change = _change;
        _change = New();
        change.SetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
