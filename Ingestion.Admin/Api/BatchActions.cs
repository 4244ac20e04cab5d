using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api;

/// <summary>
/// <c>POST /api/v1/batches/{id}/start|pause|resume|cancel|retry</c>. Done is 200 with a sentence and the batch; what the batch's state
/// does not allow is 409 with the reason, and nothing was changed.
/// </summary>
internal static class BatchActions
{
    public static void MapBatchActions(this RouteGroupBuilder batches)
    {
        batches.MapPost("/{id}/start", (HttpContext http, string id, BatchQueries queries, BatchControl control, CancellationToken ct) => ActAsync(http, id, queries, b => control.StartAsync(http.Actor(), b, ct), ct));
        batches.MapPost("/{id}/pause", (HttpContext http, string id, BatchQueries queries, BatchControl control, CancellationToken ct) => ActAsync(http, id, queries, b => control.PauseAsync(http.Actor(), b, ct), ct));
        batches.MapPost("/{id}/resume", (HttpContext http, string id, BatchQueries queries, BatchControl control, CancellationToken ct) => ActAsync(http, id, queries, b => control.ResumeAsync(http.Actor(), b, ct), ct));
        batches.MapPost("/{id}/cancel", (HttpContext http, string id, BatchQueries queries, BatchControl control, CancellationToken ct) => ActAsync(http, id, queries, b => control.CancelAsync(http.Actor(), b, ct), ct));
        batches.MapPost("/{id}/retry", RetryAsync);
    }

    private static async Task<IResult> RetryAsync(HttpContext http, string id, BatchQueries batches, BatchRetry retry, EmbeddingModels models, CancellationToken ct)
    {
        if (await batches.FindAsync(http.User.Tenant(), id, ct) is not { } batch) return Batches.Unknown(id);
        var (_, json) = await Batches.BodyAsync(http.Request, ct);
        using var body = json;
        var wish = body is null ? new RetryWish(null, null, true) : JsonFields.Read(() => RetryWish.Read(body.RootElement, batch));
        if (wish.Options is { } options) models.Resolve(options.EmbeddingModelPreference);
        return await ActAsync(http, id, batches,
            b => retry.RetryAsync(http.Actor(), b, wish.FailedOnly ? RetryScope.Failed : RetryScope.All, wish.Items, wish.Options, ct), ct);
    }

    private static async Task<IResult> ActAsync(HttpContext http, string id, BatchQueries batches, Func<long, Task<ControlResult>> act, CancellationToken ct)
    {
        if (await batches.FindAsync(http.User.Tenant(), id, ct) is not { } batch) return Batches.Unknown(id);
        var result = await act(batch.Id);
        if (!result.Done) return Wire.Refuse(StatusCodes.Status409Conflict, result.Message);
        return await batches.FindAsync(http.User.Tenant(), id, ct) is { } after
            ? Wire.Answer(new { result.Message, Batch = BatchAnswers.Of(after) })
            : Batches.Unknown(id);
    }

    /// <param name="Items">Only these; null for the whole batch.</param>
    /// <param name="Options">The batch's options with what the caller named laid over; null keeps them.</param>
    private sealed record RetryWish(IReadOnlyList<long>? Items, ProcessingOptions? Options, bool FailedOnly)
    {
        public static RetryWish Read(JsonElement body, BatchView batch)
        {
            var wish = new RetryWish(null, null, true);
            foreach (var member in JsonFields.Members("The body", body))
                wish = member.Name switch
                {
                    "items" => wish with { Items = member.Value.ValueKind == JsonValueKind.Null ? null : JsonFields.List("items", member.Value, JsonFields.Id) },
                    "options" => wish with { Options = ProcessingOptions.Read(member.Value, ProcessingOptions.Read(JsonSerializer.Deserialize<JsonElement>(batch.Options), new())) },
                    "failed_only" => wish with { FailedOnly = JsonFields.Flag("failed_only", member.Value) },
                    _ => throw new IngestionException(ErrorCodes.InvalidOption, $"{JsonFields.Shown(member.Name)} is not known here. Known are: items, options, failed_only."),
                };
            return wish;
        }
    }
}
