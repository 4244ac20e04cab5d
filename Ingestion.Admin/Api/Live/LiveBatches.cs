using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Live;

/// <summary>The feeds of this process: one for each batch and view that somebody follows, started with the first reader and ended with the last.</summary>
internal sealed class LiveBatches(LiveSources sources)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<object, LiveFeed> _feeds = [];

    /// <summary>Feeds that run.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _feeds.Count;
        }
    }

    /// <summary>Follows a batch that the scope is known to cover.</summary>
    public LiveWatch<LiveBatch> Watch(Scope scope, BatchView batch, LiveReader reader) => Watch((scope.Shared, batch.Id), reader, () => new LiveBatch(sources, scope.Shared, batch));

    /// <summary>Follows which batches of a person's there are.</summary>
    public LiveWatch<LiveJobs> WatchJobs(Scope scope, string person, LiveReader reader) => Watch((scope.Shared, person), reader, () => new LiveJobs(sources, scope.Shared, person));

    private LiveWatch<T> Watch<T>(object key, LiveReader reader, Func<T> create) where T : LiveFeed
    {
        lock (_gate)
        {
            // One that is gone keeps its readers until they have seen it; who comes now looks anew.
            if (_feeds.GetValueOrDefault(key) is not T { Gone: false } feed)
            {
                _feeds[key] = feed = create();
                feed.Start();
            }
            feed.Add(reader);
            return new(feed, () => Leave(key, feed, reader));
        }
    }

    private void Leave(object key, LiveFeed feed, LiveReader reader)
    {
        lock (_gate)
        {
            if (feed.Remove(reader) > 0) return;
            if (_feeds.GetValueOrDefault(key) == feed) _feeds.Remove(key);
        }
        feed.Stop();
    }
}

/// <summary>A reader's hold on a feed.</summary>
internal sealed class LiveWatch<T>(T feed, Action leave) : IDisposable
{
    public T Feed { get; } = feed;

    public void Dispose() => leave();
}
