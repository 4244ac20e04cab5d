using Ingestion.Core.Artifacts;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>
/// Brings a document's bytes into the artifact store, once per content: fetch, raw.bin, source version; then the claim on the content,
/// which decides whether the document goes on, waits for a twin, or is there already.
/// </summary>
public sealed class AcquireStage(
    NpgsqlDataSource worker, IEnumerable<ISourceConnector> connectors, HostBudgets hosts, ArtifactWriter artifacts, WorkFolder work,
    PipelineOptions pipeline, IOptionsMonitor<AcquireOptions> acquire) : IStage
{
    // A turn this near is waited for in place; a later one gives the worker to somebody else.
    private static readonly TimeSpan WaitInPlace = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan TwinPause = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, ISourceConnector> _connectors = connectors.ToDictionary(c => c.SourceType);

    public Stage Stage => Stage.Acquire;

    public async Task<StageOutcome> RunAsync(StageContext context, CancellationToken ct)
    {
        HostLedger.AskingFor(context.Item.TenantId);
        var version = context.Item.SourceVersionId;
        if (version is null)
        {
            if (await TurnAsync(context, ct) is { } later) return later;
            var (fetched, nothing) = await FetchAsync(context, ct);
            if (nothing is not null) return new StageOutcome.Skipped(nothing);
            version = fetched;
        }
        if (!context.Options.SkipExisting) return new StageOutcome.Done();
        return await SourceVersions.ClaimContentAsync(context, version!.Value, ct) switch
        {
            ContentClaim.Ours => new StageOutcome.Done(),
            ContentClaim.Published => new StageOutcome.Skipped("The collection already holds this content."),
            _ => new StageOutcome.RetryLater(TwinPause, WaitReasons.SameContent),
        };
    }

    private async Task<StageOutcome?> TurnAsync(StageContext context, CancellationToken ct)
    {
        if (HostOf(context.Item) is not { } host) return null;
        // Postponed until its own turn: the reservation was made then.
        if (context.Task.WaitReason == WaitReasons.HostPacing) return null;
        var turn = await hosts.ReserveAsync(host, acquire.CurrentValue.RequestsPerMinutePerHost, ct);
        if (turn.Paused) return new StageOutcome.RetryLater(turn.Wait, WaitReasons.HostPaused);
        if (turn.Wait > WaitInPlace) return new StageOutcome.RetryLater(turn.Wait, WaitReasons.HostPacing);
        if (turn.Wait > TimeSpan.Zero) await Task.Delay(turn.Wait, ct);
        return null;
    }

    // Either a version, or why there is none and nothing went wrong.
    private async Task<(long? Version, string? Nothing)> FetchAsync(StageContext context, CancellationToken ct)
    {
        var item = context.Item;
        if (!_connectors.TryGetValue(item.SourceType, out var connector))
            throw new IngestionException(ErrorCodes.SourceNotConfigured, $"This installation takes nothing from '{item.SourceType}'.");
        var source = await SourceVersions.SourceAsync(worker, item, ct);
        var known = await SourceVersions.NewestAsync(worker, source, ct);
        var scratch = work.NewFile();
        try
        {
            FetchedDocument fetched;
            await using (var ticker = new ProgressTicker(context, ItemStep.Downloading, ct))
            {
                var target = new FetchTarget(scratch, pipeline.MaxFileSizeBytes, context.Options.Timeout, known?.ETag, known?.LastModified,
                    (bytes, total, message) => ticker.Report(bytes, total, message ?? $"Downloading {item.Name}"));
                fetched = await connector.FetchAsync(item, target, ct);
            }
            if (fetched.NoDocument is { } reason) return (null, reason);
            if (fetched.NotModified && known is not null) return (await SourceVersions.ReuseAsync(context, known.Id, fetched, ct), null);
            if (fetched.Length > pipeline.MaxFileSizeBytes)
                throw new IngestionException(ErrorCodes.TooLarge, $"The document has {fetched.Length:N0} bytes; {pipeline.MaxFileSizeBytes:N0} are allowed.");
            if (await SourceVersions.FindAsync(worker, source, fetched.Sha256, ct) is { } same) return (await SourceVersions.ReuseAsync(context, same, fetched, ct), null);
            var id = await SourceVersions.ReserveAsync(worker, ct);
            await using var content = File.OpenRead(fetched.LocalPath ?? scratch);
            var raw = await artifacts.WriteAsync(item.TenantId, "raw", ArtifactKeys.Raw(item.TenantId, SourceVersions.Key(source), SourceVersions.Key(id)), content, ct);
            if (raw.Sha256 != fetched.Sha256) throw new IngestionException(ErrorCodes.BadContent, "The file changed while it was being read.");
            return (await SourceVersions.SaveAsync(context, source, id, fetched, raw, ct), null);
        }
        catch (IngestionException e) when (e.Code == ErrorCodes.Throttled && e.RetryAfter is { } pause && HostOf(item) is { } host)
        {
            await hosts.PauseAsync(host, pause, ct);
            throw;
        }
        finally
        {
            File.Delete(scratch);
        }
    }

    private static string? HostOf(WorkItem item) =>
        SourceKinds.Find(item.SourceType) is { ByAddress: true } && Uri.TryCreate(item.SourceKey, UriKind.Absolute, out var url) && (url.Scheme is "http" or "https")
            ? HostBudgets.KeyOf(url)
            : null;
}
