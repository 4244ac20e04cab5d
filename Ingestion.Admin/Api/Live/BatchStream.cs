using System.Text;
using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Live;

/// <summary><c>GET /api/v1/batches/{id}/stream</c>: a batch's facts and its state as server-sent events.</summary>
internal static class BatchStream
{
    public static WebApplication MapBatchStream(this WebApplication app)
    {
        app.MapGet("/api/v1/batches/{id}/stream", async (HttpContext http, string id, BatchQueries batches, EventStream stream, CancellationToken ct) =>
        {
            if (await batches.FindAsync(http.User.Scope(), id, ct) is not { } batch) return Batches.Unknown(id);
            await stream.RunAsync(http, batch, LiveDialect.Api, LiveWants.Outlook);
            return Results.Empty;
        });
        return app;
    }

    /// <summary>One message as it goes over the wire.</summary>
    /// <param name="id">Null for what has no number.</param>
    public static byte[] Message(string name, long? id, object data) =>
        Encoding.UTF8.GetBytes($"{(id is { } number ? FormattableString.Invariant($"id: {number}\n") : "")}event: {name}\ndata: {JsonSerializer.Serialize(data, Wire.Json)}\n\n");
}

/// <summary>The words of our own stream: facts by their kind, as the list of events has them, and <c>snapshot</c>, the batch as its own route answers.</summary>
internal sealed class BatchStreamWords : LiveDialect
{
    public override int Index => 0;

    public override byte[] Fact(StoredEvent e) => BatchStream.Message(e.Kind, e.Seq, BatchAnswers.Of(e));

    public override byte[] State(LiveState state) => BatchStream.Message("snapshot", null, BatchAnswers.Of(state.Batch, state.Live, state.At));
}
