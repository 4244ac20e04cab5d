using System.Net.WebSockets;
using Ingestion.Admin.Access;
using Ingestion.Admin.Api.Live;
using Ingestion.Core.Pipeline;
using Microsoft.AspNetCore.Mvc;

namespace Ingestion.Admin.Api.Families;

/// <summary>
/// <c>/batch/ws/{user_id}?job_id=</c>: tells of one job, or of every job of the user that has not ended. Who it is and what they may see is
/// settled before the connection becomes a socket, and asked again while it is one.
/// </summary>
internal static class JobSocket
{
    public static async Task<IResult> RunAsync(
        HttpContext http, [FromRoute(Name = "user_id")] string user, [FromQuery(Name = "job_id")] string? id, BatchQueries batches, JobSockets sockets, CancellationToken ct)
    {
        if (!http.WebSockets.IsWebSocketRequest) return Wire.Refuse(StatusCodes.Status400BadRequest, "Only WebSocket connections are taken here.");
        // Browsers say which page opens a socket, and send our cookie along whoever that is.
        if (!IsOwn(http.Request)) return Wire.Refuse(StatusCodes.Status403Forbidden, "A page of another site may not open this.");
        BatchView? job = null;
        if (!string.IsNullOrEmpty(id) && (job = await JobFamily.FindAsync(batches, http.User.Scope(), id, user, ct)) is null) return JobFamily.Unknown(id);
        LiveConnection.Bound(http);
        using var socket = await http.WebSockets.AcceptWebSocketAsync();
        await sockets.ServeAsync(http, socket, user, job);
        return Results.Empty;
    }

    private static bool IsOwn(HttpRequest request) =>
        request.Headers.Origin.ToString() is var origin && (origin.Length == 0 || string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase));
}

/// <summary>Serves the sockets of this process: each takes the newest of what it has not been told, when it is ready for it.</summary>
internal sealed class JobSockets(LiveBatches live, LiveCallers callers, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<JobSockets> log)
{
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    public async Task ServeAsync(HttpContext http, WebSocket socket, string user, BatchView? job)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        var reader = new LiveReader(LiveWants.Files);
        var client = new JobSocketClient(socket, reader);
        using var watches = new JobWatches(live, http.User.Scope(), user, job, reader);
        var receiving = client.ReceiveAsync(end.Token);
        try
        {
            await CloseAsync(socket, await TellAsync(http, client, watches, user, job, end.Token));
        }
        catch (TimeoutException)
        {
            log.ReaderDropped();
            http.Abort();
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            if (lifetime.ApplicationStopping.IsCancellationRequested) await CloseAsync(socket, new(WebSocketCloseStatus.EndpointUnavailable, "The server stops; come again in a few seconds."));
        }
        finally
        {
            await end.CancelAsync();
            await receiving;
        }
    }

    private async Task<SocketEnd> TellAsync(HttpContext http, JobSocketClient client, JobWatches watches, string user, BatchView? job, CancellationToken ct)
    {
        await client.SendAsync(JobSocketWords.Established(user, job?.PublicId, time.GetUtcNow()), ct);
        while (true)
        {
            if (client.Ended is { } ended) return ended;
            if (!await callers.AreInForceAsync(http, ct)) return new(WebSocketCloseStatus.PolicyViolation, "You are not signed in any more, or may see other things than before.");
            foreach (var answer in client.Answers(time.GetUtcNow())) await client.SendAsync(answer, ct);
            foreach (var message in watches.News()) await client.SendAsync(message, ct);
            if (watches.Gone) return new(WebSocketCloseStatus.NormalClosure, "The job is not there any more.");
            await client.Reader.WaitAsync(ct);
        }
    }

    // Whoever has gone cannot be told; nobody waits for an answer.
    private static async Task CloseAsync(WebSocket socket, SocketEnd end)
    {
        if (socket.State is not (WebSocketState.Open or WebSocketState.CloseReceived)) return;
        using var limit = new CancellationTokenSource(Farewell);
        try
        {
            await socket.CloseOutputAsync(end.Code, end.Reason, limit.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            socket.Abort();
        }
    }
}
