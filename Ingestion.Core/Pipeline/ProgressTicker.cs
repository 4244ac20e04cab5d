namespace Ingestion.Core.Pipeline;

/// <summary>
/// Lets synchronous work tell how far it is: what is reported last is written a few times a second from the side. Disposing stops it.
/// </summary>
public sealed class ProgressTicker : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private readonly CancellationTokenSource _stop;
    private readonly Task _loop;
    private volatile Tick? _latest;

    public ProgressTicker(StageContext context, ItemStep step, CancellationToken ct)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _loop = LoopAsync(context, step, _stop.Token);
    }

    public void Report(long current, long? total, string? message) => _latest = new(current, total, message);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        _stop.Dispose();
    }

    private async Task LoopAsync(StageContext context, ItemStep step, CancellationToken ct)
    {
        Tick? written = null;
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(ct))
            {
                if (_latest is not { } tick || tick == written) continue;
                await context.ReportAsync(step, tick.Current, tick.Total, tick.Message, ct);
                written = tick;
            }
        }
        catch (Exception e) when (e is OperationCanceledException || Transient.Is(e))
        {
            // Progress is a courtesy: the work goes on without it, and its end is written elsewhere.
            return;
        }
    }

    private sealed record Tick(long Current, long? Total, string? Message);
}
