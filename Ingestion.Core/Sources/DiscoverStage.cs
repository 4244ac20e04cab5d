using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>Lists an input and inserts its items page by page, each page with the cursor after it: an interruption repeats nothing.</summary>
public sealed class DiscoverStage(IEnumerable<ISourceConnector> connectors, PipelineOptions options) : IStage
{
    private readonly Dictionary<string, ISourceConnector> _connectors = connectors.ToDictionary(c => c.SourceType);

    public Stage Stage => Stage.Discover;

    public async Task<StageOutcome> RunAsync(StageContext context, CancellationToken ct)
    {
        var input = context.Input;
        if (!_connectors.TryGetValue(input.SourceType, out var connector))
            throw new IngestionException(ErrorCodes.InvalidOption, $"The source type '{input.SourceType}' is not configured here.");
        var found = 0;
        await foreach (var page in connector.ListAsync(input, ct))
        {
            var added = 0;
            var wanted = await context.CheckpointAsync(async (connection, token) =>
            {
                added = await LaunchItems.FromListingAsync(connection, input, page.Items, page.Cursor, token);
            }, [new(EventKinds.ItemsDiscovered, TaskId: context.Task.Id, Data: $$"""{"count":{{page.Items.Count}}}""")], ct);
            found += added;
            if (found > options.MaxItemsPerBatch) throw new IngestionException(ErrorCodes.TooManyItems, $"More than {options.MaxItemsPerBatch:N0} items were found.");
            // Paused or being cancelled: the cursor is kept, and the batch is not claimed until it is wanted again.
            if (!wanted) return new StageOutcome.RetryLater(TimeSpan.Zero, WaitReasons.Paused);
        }
        return new StageOutcome.Done();
    }
}
