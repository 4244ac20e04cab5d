using Ingestion.Core.Embeddings;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Embeddings;

public sealed class EmbeddingTurnsTests : DatabaseTest
{
    [Fact]
    public async Task Requests_of_several_processes_share_one_rate()
    {
        var time = new ManualTime();
        // One a minute, asked for by two processes: the second waits, however long the database took meanwhile.
        var (one, two) = (Turns(time), Turns(time));
        await one.WaitAsync(CancellationToken.None);
        var waiting = two.WaitAsync(CancellationToken.None);
        await Eventually.IsAsync(async () => await ScalarAsync<bool>("SELECT next_at > now() + interval '100 s' FROM ingestion.host_budget WHERE host = 'embedding:test:443'"), "the second turn is reserved");
        waiting.IsCompleted.ShouldBeFalse();
        await Eventually.IsAsync(() =>
        {
            time.Advance(TimeSpan.FromMinutes(1));
            return Task.FromResult(waiting.IsCompletedSuccessfully);
        }, "its turn came");
    }

    [Fact]
    public async Task Whoever_gives_up_stops_waiting()
    {
        var turns = Turns(new ManualTime());
        await turns.WaitAsync(CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var waiting = turns.WaitAsync(stop.Token);
        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => waiting);
    }

    private EmbeddingTurns Turns(ManualTime time) => new(new HostBudgets(Worker, new HostLedger(time), new HostRates()), "embedding:test:443", perMinute: 1, time);
}
