using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Duties;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Logging;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class SummariseBatchesTests : DatabaseTest
{
    [Fact]
    public async Task A_batch_that_ended_is_one_line_with_its_counters()
    {
        var batch = await Make.Batch(BatchState.Completed);
        await Make.Item(batch, ItemState.Done);
        await Make.Item(batch, ItemState.Skipped);
        await Make.Item(batch, ItemState.Failed);
        await Make.Item(batch, ItemState.Rejected);
        await Make.Batch(BatchState.Running);
        var ended = await ScalarAsync<DateTimeOffset>("SELECT completed_at FROM ingestion.import_batch WHERE id = $1", batch);
        var log = new Lines();
        var duty = new SummariseBatches(Worker, log);
        // Turns follow each other, each from where the one before it stopped.
        var turns = Enumerable.Range(-2, 6).Select(n => ended + SummariseBatches.Lag + n * duty.Interval).ToList();
        foreach (var (before, at) in turns.Zip(turns.Skip(1))) await duty.RunAsync(new(at, before), CancellationToken.None);

        var id = await ScalarAsync<string>("SELECT public_id FROM ingestion.import_batch WHERE id = $1", batch);
        log.Written.ShouldBe([$"Batch {id} of default ended completed: descriptors_listed=4 items_fetched=0 items_skipped_incremental=1 items_ingested=1 items_failed=2"]);
    }

    private sealed class Lines : ILogger<SummariseBatches>
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Written.Add(formatter(state, exception));
    }
}
