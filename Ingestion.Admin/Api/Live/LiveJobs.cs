using Ingestion.Core.Access;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Live;

/// <summary>Which batches of one person's have not ended, for connections that follow all of them; the newest where there are many.</summary>
internal sealed class LiveJobs(LiveSources sources, Scope scope, string person) : LiveFeed(sources, BatchHub.All)
{
    /// <summary>Batches that one connection follows at once.</summary>
    public const int Most = 50;

    // Who starts a short batch and then comes to watch it shall see its end.
    private static readonly TimeSpan Late = TimeSpan.FromMinutes(1);

    private volatile IReadOnlyList<BatchView> _open = [];

    public IReadOnlyList<BatchView> Open => _open;

    protected override async Task<bool> ReadAsync(CancellationToken ct)
    {
        var open = await Sources.Batches.OpenOfAsync(scope, person, Sources.Time.GetUtcNow() - Late, Most, ct);
        var changed = !open.Select(b => b.Id).SequenceEqual(_open.Select(b => b.Id));
        _open = open;
        return changed;
    }
}
