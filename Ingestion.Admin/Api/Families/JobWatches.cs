using Ingestion.Admin.Api.Live;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>What one socket follows: the job it named, or those of a user's that have not ended, as they come and go.</summary>
internal sealed class JobWatches : IDisposable
{
    private readonly LiveBatches _live;
    private readonly Scope _scope;
    private readonly LiveReader _reader;
    private readonly LiveWatch<LiveJobs>? _jobs;
    private readonly Dictionary<long, Followed> _followed = [];

    /// <param name="job">The one to follow; null for all of the user's.</param>
    public JobWatches(LiveBatches live, Scope scope, string user, BatchView? job, LiveReader reader)
    {
        (_live, _scope, _reader) = (live, scope, reader);
        if (job is null) _jobs = live.WatchJobs(scope, user, reader);
        else Follow(job);
    }

    /// <summary>True once the named job is not there any more.</summary>
    public bool Gone => _jobs is null && _followed.Values.All(f => f.Watch.Feed.Gone);

    /// <summary>What was not told yet: each job's newest state, and the files that changed.</summary>
    public IEnumerable<byte[]> News()
    {
        if (_jobs is not null) Adjust(_jobs.Feed.Open);
        foreach (var followed in _followed.Values)
        {
            if (followed.Watch.Feed.State is { } state && state.Version > followed.State)
            {
                followed.State = state.Version;
                followed.Ended = state.Batch.State.IsFinal();
                yield return state.In(LiveDialect.Job);
            }
            var (files, version) = followed.Watch.Feed.FilesAfter(followed.Files);
            followed.Files = version;
            foreach (var file in files) yield return file;
        }
    }

    public void Dispose()
    {
        _jobs?.Dispose();
        foreach (var followed in _followed.Values) followed.Watch.Dispose();
    }

    private void Adjust(IReadOnlyList<BatchView> open)
    {
        foreach (var job in open)
            if (!_followed.ContainsKey(job.Id) && _followed.Count < 2 * LiveJobs.Most) Follow(job);
        var ids = open.Select(b => b.Id).ToHashSet();
        // One that has ended is followed until its end was told.
        foreach (var (id, followed) in _followed.Where(f => !ids.Contains(f.Key) && (f.Value.Ended || f.Value.Watch.Feed.Gone)).ToList())
        {
            followed.Watch.Dispose();
            _followed.Remove(id);
        }
    }

    private void Follow(BatchView job) => _followed[job.Id] = new(_live.Watch(_scope, job, _reader));

    private sealed class Followed(LiveWatch<LiveBatch> watch)
    {
        public LiveWatch<LiveBatch> Watch { get; } = watch;
        public long State { get; set; }
        public long Files { get; set; }
        public bool Ended { get; set; }
    }
}
