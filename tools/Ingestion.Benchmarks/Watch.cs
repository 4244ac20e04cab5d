using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.DependencyInjection;

namespace Ingestion.Benchmarks;

/// <summary>Readers as pages are: each waits for hints of a batch and then reads what it does, shared as the product shares it.</summary>
internal sealed class Watch : IDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly int _watchers;
    private long _looks;

    public Watch(Rig rig, IReadOnlyList<Submitted> batches, int watchers)
    {
        _watchers = watchers;
        for (var i = 0; i < watchers; i++) _ = FollowAsync(rig, batches[i % batches.Count].BatchId);
    }

    public IEnumerable<string> Notes() => _watchers == 0 ? [] : [$"{_watchers} watchers looked {Interlocked.Read(ref _looks):N0} times"];

    public void Dispose() => _end.Cancel();

    private async Task FollowAsync(Rig rig, long batch)
    {
        using var hints = rig.Services.GetRequiredService<BatchHub>().Subscribe(batch);
        while (!_end.IsCancellationRequested)
        {
            await rig.Services.GetRequiredService<BatchWatch>().LiveAsync(Rig.Measured.TenantId, batch, CancellationToken.None);
            Interlocked.Increment(ref _looks);
            await hints.WaitAsync(TimeSpan.FromSeconds(1), CancellationToken.None);
            // As often as a page is drawn at most.
            await Task.Delay(TimeSpan.FromMilliseconds(100), _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
