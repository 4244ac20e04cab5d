using Ingestion.Admin.Access;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api;

/// <summary>
/// <c>POST /api/v1/batches/{id}/start|pause|resume|cancel|retry|try-now|delete</c>, the last also as <c>DELETE</c>. Done is 200 with a
/// sentence and the batch; what the batch's state does not allow is 409 with the reason, and nothing was changed.
/// </summary>
internal static class BatchActions
{
    private static readonly string[] Whole = ["reason"];
    private static readonly string[] Some = ["items", "filter", "reason"];
    private static readonly string[] Retried = ["items", "filter", "options", "failed_only", "reason"];
    private static readonly string[] Deleted = ["remove_documents", "reason"];

    public static void MapBatchActions(this RouteGroupBuilder batches)
    {
        batches.MapPost("/{id}/start", (HttpContext http, string id, BatchControl control, CancellationToken ct) => ActAsync(http, id, Whole, a => control.StartAsync(a.Actor, a.Batch.Id, ct), ct));
        batches.MapPost("/{id}/pause", (HttpContext http, string id, BatchControl control, CancellationToken ct) => ActAsync(http, id, Whole, a => control.PauseAsync(a.Actor, a.Batch.Id, ct), ct));
        batches.MapPost("/{id}/resume", (HttpContext http, string id, BatchControl control, CancellationToken ct) => ActAsync(http, id, Whole, a => control.ResumeAsync(a.Actor, a.Batch.Id, ct), ct));
        batches.MapPost("/{id}/cancel", (HttpContext http, string id, BatchControl control, ItemControl some, CancellationToken ct) =>
            ActAsync(http, id, Some, a => a.Items is { } items ? some.CancelAsync(a.Actor, a.Batch.Id, items, ct) : control.CancelAsync(a.Actor, a.Batch.Id, ct), ct));
        batches.MapPost("/{id}/try-now", (HttpContext http, string id, ItemControl some, CancellationToken ct) => ActAsync(http, id, Some, a => some.TryNowAsync(a.Actor, a.Batch.Id, a.Items, ct), ct));
        batches.MapPost("/{id}/retry", (HttpContext http, string id, BatchRetry retry, EmbeddingModels models, CancellationToken ct) => ActAsync(http, id, Retried, a =>
        {
            // Said now rather than by every document when it comes to be embedded.
            if (a.Request.Options is { } options) models.Resolve(options.EmbeddingModelPreference);
            return retry.RetryAsync(a.Actor, a.Batch.Id, a.Request.FailedOnly ? RetryScope.Failed : RetryScope.All, a.Items, a.Request.Options, ct);
        }, ct));
        batches.MapPost("/{id}/delete", DeleteAsync);
        batches.MapDelete("/{id}", DeleteAsync);
    }

    private static Task<IResult> DeleteAsync(HttpContext http, string id, BatchDelete delete, CancellationToken ct) =>
        ActAsync(http, id, Deleted, a => delete.DeleteAsync(a.Actor, a.Batch.Id, a.Request.RemoveDocuments, ct), ct);

    private static async Task<IResult> ActAsync(HttpContext http, string id, string[] known, Func<Asked, Task<ControlResult>> act, CancellationToken ct)
    {
        var queries = http.RequestServices.GetRequiredService<BatchQueries>();
        var scope = http.User.Scope();
        if (await queries.FindAsync(scope, id, ct) is not { } batch) return Batches.Unknown(id);
        var (_, json) = await Batches.BodyAsync(http.Request, ct);
        using var body = json;
        var request = body is null ? new() : JsonFields.Read(() => ActRequest.Read(body.RootElement, known, batch));
        var items = request.Filter is { } filter ? await queries.ItemIdsAsync(scope, batch.Id, filter, ct) : request.Items;
        var result = await act(new(http.Actor() with { Reason = request.Reason }, batch, request, items));
        if (!result.Done) return Wire.Refuse(StatusCodes.Status409Conflict, result.Message);
        return await queries.FindAfterAsync(scope, batch, ct) is { } after
            ? Wire.Answer(new { result.Message, Batch = await BatchAnswers.OfAsync(http, after, ct) })
            : Wire.Answer(new { result.Message });
    }

    /// <param name="Items">The documents that are meant; null for the whole batch.</param>
    private sealed record Asked(Actor Actor, BatchView Batch, ActRequest Request, IReadOnlyList<long>? Items);
}
