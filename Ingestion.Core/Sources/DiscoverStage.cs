using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// Lists an input and inserts its items page by page, each page with the cursor after it: an interruption repeats nothing. Of sources
/// that were listed before, only what is new or changed becomes an item.
/// </summary>
public sealed class DiscoverStage(
    NpgsqlDataSource worker, IEnumerable<ISourceConnector> connectors, PipelineOptions options, IOptionsMonitor<SourceOptions> sources, ILogger<DiscoverStage> log) : IStage
{
    private readonly Dictionary<string, ISourceConnector> _connectors = connectors.ToDictionary(c => c.SourceType);

    public Stage Stage => Stage.Discover;

    public async Task<StageOutcome> RunAsync(StageContext context, CancellationToken ct)
    {
        var input = context.Input;
        HostLedger.AskingFor(input.TenantId);
        var kind = SourceKinds.Find(input.SourceType);
        if (!_connectors.TryGetValue(input.SourceType, out var connector))
            throw new IngestionException(ErrorCodes.SourceNotConfigured, $"This installation takes nothing from {kind?.Title ?? input.SourceType}.");
        if (kind is { Need: SourceNeed.Connection } && input.ConnectionId is null)
            throw new IngestionException(ErrorCodes.SourceNotConfigured, $"No connection of the kind {kind.Title} is configured.");
        var memory = kind is null or { Need: SourceNeed.Submission } ? null : await OpenAsync(context, kind, ct);
        // Other inputs may list at the same time; each stops at the limit by what it knows, which bounds the batch well enough.
        var total = await CountAsync(input.BatchId, ct);
        var (gap, feed) = ((string?)null, (string?)null);
        // Everything is to be fetched again where nothing may be skipped.
        await foreach (var page in connector.ListAsync(context.Options.SkipExisting ? input with { Feed = memory?.Feed } : input, ct))
        {
            var (wanted, added) = await KeepAsync(context, memory, page, total, ct);
            total += added;
            gap ??= page.Gap;
            feed ??= page.Feed;
            // Paused or being cancelled: the cursor is kept, and the batch is not claimed until it is wanted again.
            if (!wanted) return new StageOutcome.RetryLater(TimeSpan.Zero, WaitReasons.Paused);
            if (page.Pause is { } pause) return new StageOutcome.RetryLater(pause, page.PauseReason);
        }
        if (memory is null) return new StageOutcome.Done();
        log.SourceListed(input.BatchId, input.SourceType, input.ConnectionId ?? "", memory.Listed, memory.Unchanged, memory.Wanted);
        return new StageOutcome.Done((connection, token) => SyncState.EndAsync(connection, input, memory.Source, gap, feed, sources.CurrentValue.MaxMissingShare, token));
    }

    private async Task<(bool Wanted, int Added)> KeepAsync(StageContext context, Memory? memory, ListedPage page, int total, CancellationToken ct)
    {
        var input = context.Input;
        // One place twice in a page is one item.
        IReadOnlyList<ListedItem> listed = memory is null ? page.Items : [.. page.Items.DistinctBy(i => (i.SourceKey, i.Row))];
        var added = 0;
        SiftedPage? sifted = null;
        // Filled by the save, which knows how many are items; written after it, as the last of the transaction.
        var events = new List<NewEvent>();
        var wanted = await context.CheckpointAsync(async (connection, token) =>
        {
            if (page.Save is { } save) await save(connection, token);
            // Only where the next attempt begins further on than this one did: behind this page, or with what its save has done.
            if (page.Save is not null || page.Cursor != input.Cursor) await ImportQueue.ForgiveAsync(connection, context.Task, token);
            if (memory is not null)
                sifted = page.Unchanged
                    ? await SyncState.UnchangedAsync(connection, input, memory.Source, token)
                    : await SyncState.SiftAsync(connection, input, memory.Source, listed, context.Options.SkipExisting, token);
            var launched = await LaunchItems.FromListingAsync(connection, input, sifted?.Wanted ?? listed, page.Cursor, token);
            added = launched.Count;
            if (memory is not null) await SyncState.CountAsync(connection, input, memory.Source, sifted!, launched, token);
            if (added > 0) events.Add(new(EventKinds.ItemsDiscovered, TaskId: context.Task.Id, Data: $$"""{"count":{{added}}}"""));
            if (total + added > options.MaxItemsPerBatch)
                throw new IngestionException(ErrorCodes.TooManyItems, $"With this input the batch has more than {options.MaxItemsPerBatch:N0} items.");
        }, events, ct);
        if (sifted is not null) memory!.Count(sifted);
        return (wanted, added);
    }

    private static async Task<Memory> OpenAsync(StageContext context, SourceKind kind, CancellationToken ct)
    {
        var spec = SourceSpec.Parse(context.Input.Spec);
        var opened = (Source: 0L, Feed: (string?)null);
        await context.CheckpointAsync(async (connection, token) =>
            opened = await SyncState.OpenAsync(connection, context.Input, spec.Scope(kind), spec.Address ?? kind.Title, token), [], ct);
        return new(opened.Source, opened.Feed);
    }

    private async Task<int> CountAsync(long batch, CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT count(*)::int FROM ingestion.import_item WHERE batch_id = $1");
        command.Parameters.Add(new() { Value = batch });
        return (int)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>The source's memory, and what this run of the listing counted.</summary>
    private sealed class Memory(long source, string? feed)
    {
        public long Source { get; } = source;
        public string? Feed { get; } = feed;
        public int Listed { get; private set; }
        public int Unchanged { get; private set; }
        public int Wanted { get; private set; }

        public void Count(SiftedPage page)
        {
            Listed += page.Added + page.Changed + page.Unchanged;
            Unchanged += page.Unchanged;
            Wanted += page.Wanted.Count;
        }
    }
}
