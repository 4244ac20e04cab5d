using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>Lists an input and inserts its items page by page, each page with the cursor after it: an interruption repeats nothing.</summary>
public sealed class DiscoverStage(NpgsqlDataSource worker, IEnumerable<ISourceConnector> connectors, PipelineOptions options) : IStage
{
    private readonly Dictionary<string, ISourceConnector> _connectors = connectors.ToDictionary(c => c.SourceType);

    public Stage Stage => Stage.Discover;

    public async Task<StageOutcome> RunAsync(StageContext context, CancellationToken ct)
    {
        var input = context.Input;
        if (!_connectors.TryGetValue(input.SourceType, out var connector))
            throw new IngestionException(ErrorCodes.InvalidOption, $"The source type '{input.SourceType}' is not configured here.");
        // Other inputs may list at the same time; each stops at the limit by what it knows, which bounds the batch well enough.
        var total = await CountAsync(input.BatchId, ct);
        await foreach (var page in connector.ListAsync(input, ct))
        {
            if (total + page.Items.Count > options.MaxItemsPerBatch)
                throw new IngestionException(ErrorCodes.TooManyItems, $"With this input the batch has more than {options.MaxItemsPerBatch:N0} items.");
            var added = 0;
            var wanted = await context.CheckpointAsync(async (connection, token) =>
            {
                added = await LaunchItems.FromListingAsync(connection, input, page.Items, page.Cursor, token);
            }, [new(EventKinds.ItemsDiscovered, TaskId: context.Task.Id, Data: $$"""{"count":{{page.Items.Count}}}""")], ct);
            total += added;
            // Paused or being cancelled: the cursor is kept, and the batch is not claimed until it is wanted again.
            if (!wanted) return new StageOutcome.RetryLater(TimeSpan.Zero, WaitReasons.Paused);
        }
        return new StageOutcome.Done();
    }

    private async Task<int> CountAsync(long batch, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT count(*)::int FROM ingestion.import_item WHERE batch_id = $1");
        command.Parameters.Add(new() { Value = batch });
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }
}
