using System.Security.Cryptography;
using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Api;

/// <summary>
/// <c>/api/v1/batches</c>: submit, look, and steer, for programs. Every route sees the caller's tenant alone; what belongs to another
/// is answered like what does not exist.
/// </summary>
internal static class Batches
{
    /// <summary>Largest submission, in bytes: the longest list of addresses that fits in a batch.</summary>
    private const long MaxBody = 64L << 20;
    private const int MaxKey = 200;
    private const int MaxPage = 1000;
    private const int MaxGroups = 200;

    public static WebApplication MapBatches(this WebApplication app)
    {
        var batches = app.MapGroup("/api/v1/batches");
        batches.MapPost("/", SubmitAsync).WithMetadata(new RequestSizeLimitAttribute(MaxBody));
        batches.MapGet("/", ListAsync);
        batches.MapGet("/{id}", FindAsync);
        batches.MapGet("/{id}/items", ItemsAsync);
        batches.MapGet("/{id}/items/{item:long}", ItemAsync);
        batches.MapGet("/{id}/failures", FailuresAsync);
        batches.MapGet("/{id}/events", EventsAsync);
        batches.MapGet("/{id}/waiting", WaitingAsync);
        batches.MapBatchActions();
        return app;
    }

    /// <summary>The answer to a batch that the caller has not got.</summary>
    internal static IResult Unknown(string id) => Wire.Refuse(StatusCodes.Status404NotFound, $"There is no batch {JsonFields.Shown(id)}.");

    /// <summary>The body and its JSON; null where there is none. Throws <c>invalid_option</c> for what is no JSON.</summary>
    internal static async Task<(byte[] Bytes, JsonDocument? Json)> BodyAsync(HttpRequest request, CancellationToken ct)
    {
        using var bytes = new MemoryStream();
        await request.Body.CopyToAsync(bytes, ct);
        var body = bytes.ToArray();
        if (body.Length == 0) return (body, null);
        try
        {
            return (body, JsonDocument.Parse(body));
        }
        catch (JsonException e)
        {
            throw new IngestionException(ErrorCodes.InvalidOption, $"The body is not JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.", e);
        }
    }

    private static async Task<IResult> SubmitAsync(
        HttpContext http, Submission submission, BatchQueries batches, EmbeddingModels models, IOptions<ProcessingOptions> defaults, CancellationToken ct)
    {
        var (bytes, json) = await BodyAsync(http.Request, ct);
        using var body = json;
        if (body is null) return Wire.Refuse(StatusCodes.Status400BadRequest, "Send a JSON object with name and urls, uploads or manifests.");
        var key = http.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length > MaxKey) return Wire.Refuse(StatusCodes.Status400BadRequest, $"Idempotency-Key has more than {MaxKey} characters.");
        var request = JsonFields.Read(() => BatchRequest.Read(body.RootElement, defaults.Value));
        // Said now rather than by every document when it comes to be embedded.
        models.Resolve(request.Options.EmbeddingModelPreference);
        try
        {
            var submitted = await submission.SubmitAsync(http.Actor(), request, key.Length == 0 ? null : new(key, SHA256.HashData(bytes)), ct);
            var view = await batches.FindAsync(http.User.Scope(), submitted.PublicId, ct);
            if (view is null) return Unknown(submitted.PublicId);
            http.Response.Headers.Location = $"/api/v1/batches/{submitted.PublicId}";
            return Wire.Answer(await BatchAnswers.OfAsync(http, view, ct), StatusCodes.Status201Created);
        }
        catch (IdempotencyConflictException e)
        {
            return Wire.Refuse(StatusCodes.Status422UnprocessableEntity, e.Message);
        }
    }

    private static async Task<IResult> ListAsync(HttpContext http, BatchQueries batches, string? state, string? q, string? collection, int? skip, int? take, CancellationToken ct)
    {
        var filter = new BatchFilter { States = Words<BatchState>("state", state), Text = Plain(q), Collection = Plain(collection) };
        var page = await batches.ListAsync(http.User.Scope(), filter, Math.Max(0, skip ?? 0), Math.Clamp(take ?? 50, 1, 200), ct);
        var rows = new List<object>(page.Rows.Count);
        foreach (var batch in page.Rows) rows.Add(await BatchAnswers.OfAsync(http, batch, ct));
        return Wire.Answer(new { Batches = rows, page.Total });
    }

    private static async Task<IResult> FindAsync(HttpContext http, string id, BatchQueries batches, CancellationToken ct) =>
        await batches.FindAsync(http.User.Scope(), id, ct) is { } batch ? Tagged.Answer(http, await BatchAnswers.OfAsync(http, batch, ct)) : Unknown(id);

    private static async Task<IResult> ItemsAsync(
        HttpContext http, string id, BatchQueries batches, WhyWaiting why, TimeProvider clock, string? state, string? stage, string? code, string? q, int? skip, int? take, CancellationToken ct)
    {
        if (await batches.FindAsync(http.User.Scope(), id, ct) is not { } batch) return Unknown(id);
        var filter = new ItemFilter
        {
            States = Words<ItemState>("state", state), Stage = string.IsNullOrEmpty(stage) ? null : JsonFields.Word<Stage>("stage", stage), ErrorCode = Plain(code), Text = Plain(q),
        };
        var page = await batches.ItemsAsync(http.User.Scope(), batch.Id, filter, Math.Max(0, skip ?? 0), Math.Clamp(take ?? 100, 1, MaxPage), ct);
        var waits = await why.ForItemsAsync(http.User.Scope(), [.. page.Rows.Where(i => i.State == ItemState.Open).Select(i => i.Id)], ct);
        return Wire.Answer(new { Items = page.Rows.Select(i => BatchAnswers.Of(i, id, waits.GetValueOrDefault(i.Id), clock.GetUtcNow())), page.Total });
    }

    private static async Task<IResult> ItemAsync(HttpContext http, string id, long item, BatchQueries batches, WhyWaiting why, TimeProvider clock, CancellationToken ct)
    {
        if (await batches.FindAsync(http.User.Scope(), id, ct) is not { } batch) return Unknown(id);
        if (await batches.ItemAsync(http.User.Scope(), item, ct) is not { } found || found.BatchId != batch.Id)
            return Wire.Refuse(StatusCodes.Status404NotFound, $"There is no item {item} in this batch.");
        var waiting = found.State == ItemState.Open ? (await why.ForItemsAsync(http.User.Scope(), [item], ct)).GetValueOrDefault(item) : null;
        return Tagged.Answer(http, BatchAnswers.Of(BatchAnswers.Of(found, id, waiting, clock.GetUtcNow()), await batches.TaskRunsAsync(http.User.Scope(), item, ct)));
    }

    private static async Task<IResult> WaitingAsync(HttpContext http, string id, BatchQueries batches, WhyWaiting why, TimeProvider clock, CancellationToken ct)
    {
        var scope = http.User.Scope();
        if (await batches.FindAsync(scope, id, ct) is not { } batch) return Unknown(id);
        return Wire.Answer(new { Waiting = (await why.ForBatchAsync(scope, batch.Id, ct)).Select(w => BatchAnswers.Of(w, id, clock.GetUtcNow())) });
    }

    private static async Task<IResult> FailuresAsync(HttpContext http, string id, BatchQueries batches, FailureGroups groups, int? skip, int? take, CancellationToken ct)
    {
        var scope = http.User.Scope();
        if (await batches.FindAsync(scope, id, ct) is not { } batch) return Unknown(id);
        var items = await batches.ItemsAsync(scope, batch.Id, new() { States = [ItemState.Failed] }, Math.Max(0, skip ?? 0), Math.Clamp(take ?? 100, 1, MaxPage), ct);
        return Wire.Answer(BatchAnswers.Of(await groups.ListAsync(scope, batch.Id, MaxGroups, ct), await batches.InputsAsync(scope, batch.Id, ct), items));
    }

    private static async Task<IResult> EventsAsync(HttpContext http, string id, BatchQueries batches, ImportEvents events, long? after, int? take, CancellationToken ct)
    {
        if (await batches.FindAsync(http.User.Scope(), id, ct) is not { } batch) return Unknown(id);
        var page = await events.ReadAsync(batch.Id, after ?? 0, Math.Clamp(take ?? MaxPage, 1, MaxPage), ct);
        return Wire.Answer(new { Events = page.Select(BatchAnswers.Of), Next = page.Count > 0 ? page[^1].Seq : after ?? 0 });
    }

    // A query can carry U+0000, which the database takes in no text.
    private static string? Plain(string? text) => text?.Replace('\0', '\uFFFD');

    /// <summary>Words of a query, separated by commas; null where there are none.</summary>
    private static List<T>? Words<T>(string name, string? words) where T : struct, Enum =>
        string.IsNullOrWhiteSpace(words) ? null : [.. words.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(w => JsonFields.Word<T>(name, w))];
}
