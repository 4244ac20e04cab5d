using Ingestion.Core.Access;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Live;

/// <summary>
/// One batch, read for all of a tenant's view who follow it: its last facts, its state, the documents at work. What it keeps is bounded:
/// who is behind the last facts reads the log, and of states and documents only the newest is there.
/// </summary>
internal sealed class LiveBatch(LiveSources sources, Scope scope, BatchView batch) : LiveFeed(sources, batch.Id, TimeSpan.FromMilliseconds(250))
{
    private const int Page = 500;
    private const int KeptFacts = 2000;
    private const int KeptFiles = 500;

    // Messages to all readers together that a reading may cause for documents; each tells one.
    private const int FileMessages = 20_000;

    // Those who are behind read the log a few at a time, however many come at once.
    private readonly SemaphoreSlim _log = new(2);
    private readonly Lock _gate = new();
    private readonly Queue<LiveFacts> _facts = [];
    private readonly LivePages _pages = new();
    private readonly Dictionary<long, LiveFile> _files = [];
    private (long Of, Dictionary<long, (IReadOnlyList<byte[]> Messages, long Version)> After) _told = (0, []);
    private BatchView _batch = batch;
    private volatile LiveState? _state;
    private long? _last;
    private long _version;
    private int _kept;

    public long Id => _batch.Id;

    /// <summary>The newest state; null until it was read for the first time.</summary>
    public LiveState? State => _state;

    /// <summary>The facts after a number in the words of a dialect, as far as they were read, and the number of the last.</summary>
    public async Task<(byte[] Frames, long Last)> AfterAsync(long after, LiveDialect dialect, CancellationToken ct)
    {
        if (_state is not { } state || after >= state.Last) return ([], after);
        lock (_gate)
        {
            if (_facts.Count > 0 && _facts.Peek().After <= after && _facts.FirstOrDefault(f => f.Last > after) is { } next) return (next.In(dialect, after), next.Last);
        }
        var start = LivePages.StartOf(after);
        if (_pages.Find(start) is not { } page)
        {
            await _log.WaitAsync(ct);
            try
            {
                // Somebody else who is as far behind may have read it meanwhile.
                page = _pages.Find(start);
                if (page is null)
                {
                    var events = await Sources.Events.ReadAsync(Id, start, LivePages.Size, ct);
                    if (events.Count > 0) _pages.Keep(page = new(start, events));
                }
            }
            finally
            {
                _log.Release();
            }
        }
        // Retention may have taken them; then there is nothing to tell up to here.
        return page is null || page.Last <= after ? ([], state.Last) : (page.In(dialect, after), page.Last);
    }

    /// <summary>Messages of documents that changed after a version, the oldest first, and the newest version.</summary>
    public (IReadOnlyList<byte[]> Messages, long Version) FilesAfter(long version)
    {
        lock (_gate)
        {
            if (_told.Of != _version) _told = (_version, []);
            // Nearly all ask for what came after the same reading.
            if (_told.After.TryGetValue(version, out var known)) return known;
            var changed = _files.Values.Where(f => f.Version > version).OrderByDescending(f => f.Version).Take(Math.Clamp(FileMessages / Math.Max(1, Readers), 1, KeptFiles)).ToList();
            return _told.After[version] = changed.Count == 0 ? ([], version) : ([.. changed.Select(f => f.Message).Reverse()], changed[0].Version);
        }
    }

    protected override async Task<bool> ReadAsync(CancellationToken ct)
    {
        var first = _last is null;
        var fresh = new List<StoredEvent>();
        var known = await ReadFactsAsync(_last ?? await Sources.Events.LastAsync(Id, ct), fresh, ct);
        if (await Sources.Batches.FindAfterAsync(scope, _batch, ct) is not { } now)
        {
            Gone = true;
            return true;
        }
        // The fact that ended it is there before its end can be seen: now none of its facts is missing.
        var last = now.State.IsFinal() ? await ReadFactsAsync(known, fresh, ct) : known;
        var live = !now.State.IsFinal() && IsWanted(LiveWants.Outlook) ? await Sources.Watch.LiveAsync(scope, Id, ct) : BatchLive.None;
        var files = IsWanted(LiveWants.Files) && await ReadFilesAsync(fresh, ct);
        Keep(fresh);
        var changed = first || fresh.Count > 0 || now != _batch || live != BatchLive.None;
        (_last, _batch) = (last, now);
        if (changed) _state = new(now, live, Sources.Time.GetUtcNow(), ++_version, known, last);
        return changed || files;
    }

    private async Task<long> ReadFactsAsync(long after, List<StoredEvent> facts, CancellationToken ct)
    {
        while (true)
        {
            var page = await Sources.Events.ReadAsync(Id, after, Page, ct);
            if (page.Count > 0) after = page[^1].Seq;
            facts.AddRange(page);
            if (page.Count < Page) return after;
            // A long time away: what is far behind is read from the log by whoever needs it.
            if (facts.Count > KeptFacts) facts.RemoveRange(0, facts.Count - Page);
        }
    }

    private void Keep(List<StoredEvent> fresh)
    {
        if (fresh.Count == 0) return;
        lock (_gate)
        {
            var after = fresh[0].Seq - 1;
            // Only what follows on without a gap stands together.
            if (after != _last)
            {
                _facts.Clear();
                _kept = 0;
            }
            _facts.Enqueue(new(after, fresh));
            _kept += fresh.Count;
            while (_kept > KeptFacts && _facts.Count > 1) _kept -= _facts.Dequeue().Count;
        }
    }

    private async Task<bool> ReadFilesAsync(List<StoredEvent> fresh, CancellationToken ct)
    {
        var touched = fresh.Where(e => e.ItemId is not null).Select(e => e.ItemId!.Value).Distinct().ToList();
        // Those that were at work a moment ago are looked at once more: they may wait now.
        lock (_gate) touched.InsertRange(0, _files.Values.Where(f => f.Item.TaskState == TaskState.Running).Select(f => f.Item.Id));
        var items = await Sources.Batches.AtWorkAsync(scope, Id, touched, KeptFiles, ct);
        var changed = false;
        lock (_gate)
        {
            foreach (var item in items)
            {
                if (_files.TryGetValue(item.Id, out var before) && Families.JobSocketWords.SameFile(before.Item, item)) continue;
                _files[item.Id] = new(item, Families.JobSocketWords.File(_batch.PublicId, item, Sources.Time.GetUtcNow()), ++_version);
                changed = true;
            }
            foreach (var old in _files.Values.OrderByDescending(f => f.Version).Skip(KeptFiles).ToList()) _files.Remove(old.Item.Id);
        }
        return changed;
    }
}
