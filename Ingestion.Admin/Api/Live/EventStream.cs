using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Ingestion.Admin.Access;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Live;

/// <summary>
/// A batch as server-sent events: its facts, each under its number, and its state whenever that changed. <c>Last-Event-ID</c> (or
/// <c>?after=</c>) goes on after a number without gap or repeat; without one it begins with the state of now. It ends after the last
/// fact of a batch that has ended, with the state it ended in.
/// </summary>
internal sealed class EventStream(LiveBatches live, LiveCallers callers, ImportEvents events, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<EventStream> log)
{
    public const string LastEventId = "Last-Event-ID";

    // Of a large answer only so much waits for a reader at once.
    private const int Slice = 16 << 10;

    /// <summary>How long a write may take before the reader counts as one that does not read.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly byte[] Alive = ": alive\n\n"u8.ToArray();
    private static readonly byte[] SignedOut = "event: signed_out\ndata: {\"detail\":\"You are not signed in any more, or may see other things than before.\"}\n\n"u8.ToArray();

    /// <summary>Runs until the batch has ended, the reader has gone, or the program stops. The batch must be in the caller's reach.</summary>
    public async Task RunAsync(HttpContext http, BatchView batch, LiveDialect dialect, LiveWants wants)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        var cursor = CursorOf(http.Request);
        // A browser comes again by itself after an end; this is how it is told not to.
        if (cursor is { } seen && batch.State.IsFinal() && await events.LastAsync(batch.Id, end.Token) <= seen)
        {
            http.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }
        var reader = new LiveReader(wants);
        using var watch = live.Watch(http.User.Scope(), batch, reader);
        try
        {
            await BeginAsync(http, end.Token);
            await FollowAsync(http, watch.Feed, reader, dialect, cursor, end.Token);
        }
        catch (TimeoutException)
        {
            log.ReaderDropped();
            http.Abort();
        }
        catch (OperationCanceledException)
        {
            // The reader has gone, or the program stops: then it comes again after the pause it was told.
            return;
        }
    }

    private static async Task BeginAsync(HttpContext http, CancellationToken ct)
    {
        LiveConnection.Bound(http);
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store";
        // Proxies that gather answers before they pass them on are asked not to.
        http.Response.Headers["X-Accel-Buffering"] = "no";
        // Each waits for another time, so that after a restart not all come at once.
        await WriteAsync(http.Response.BodyWriter, Encoding.UTF8.GetBytes($"retry: {Random.Shared.Next(1000, 5000)}\n\n"), ct);
    }

    private async Task FollowAsync(HttpContext http, LiveBatch batch, LiveReader reader, LiveDialect dialect, long? from, CancellationToken ct)
    {
        var (output, version, said) = (http.Response.BodyWriter, 0L, time.GetTimestamp());
        while (true)
        {
            if (!await callers.AreInForceAsync(http, ct))
            {
                await WriteAsync(output, SignedOut, ct);
                return;
            }
            if (batch.Gone) return;
            if (batch.State is { } state)
            {
                if (from is null)
                {
                    await WriteAsync(output, [.. Encoding.UTF8.GetBytes($"id: {state.Known}\n"), .. state.In(dialect)], ct);
                    (from, version, said) = (state.Known, state.Version, time.GetTimestamp());
                }
                var (frames, last) = await batch.AfterAsync(from.Value, dialect, ct);
                from = Math.Max(from.Value, last);
                // Slow readers meet the newest state, not each of those in between.
                var tell = from >= state.Last && (state.Version > version || state.Batch.State.IsFinal());
                if (frames.Length > 0 || tell)
                {
                    await WriteAsync(output, frames, ct, flush: !tell);
                    if (tell) await WriteAsync(output, state.In(dialect), ct);
                    (version, said) = (tell ? state.Version : version, time.GetTimestamp());
                }
                if (from < state.Last) continue;
                if (state.Batch.State.IsFinal()) return;
            }
            if (time.GetElapsedTime(said) >= LiveFeed.Beat)
            {
                await WriteAsync(output, Alive, ct);
                said = time.GetTimestamp();
            }
            await reader.WaitAsync(ct);
        }
    }

    // Throws TimeoutException where the reader takes nothing. What is not flushed goes with the next write.
    private static async Task WriteAsync(PipeWriter output, byte[] bytes, CancellationToken ct, bool flush = true)
    {
        for (var from = 0; from < bytes.Length; from += Slice)
        {
            var slice = bytes.AsMemory(from, Math.Min(Slice, bytes.Length - from));
            if (!flush && slice.Length < Slice)
            {
                output.Write(slice.Span);
                return;
            }
            var write = output.WriteAsync(slice, ct);
            var result = write.IsCompletedSuccessfully ? await write : await write.AsTask().WaitAsync(Patience, ct);
            if (result.IsCompleted) throw new OperationCanceledException("The reader has gone.", ct);
        }
    }

    private static long? CursorOf(HttpRequest request)
    {
        var text = request.Headers[LastEventId].ToString() is { Length: > 0 } header ? header : request.Query["after"].ToString();
        return text.Length == 0 ? null
            : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw new IngestionException(ErrorCodes.InvalidOption, $"{LastEventId} must be the number of an event.");
    }
}
