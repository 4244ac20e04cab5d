using System.Globalization;
using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Api.Families;

/// <summary>
/// <c>/ingest-file</c>, <c>/ingest-url</c>, <c>/ingest-base</c> and <c>/collections/{id}/ingestion-jobs</c>: documents one by one, each a job
/// with a number, for pages that poll. Work starts at once.
/// </summary>
internal static class CollectionFamily
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 200;
    private const int RecentFailures = 5;

    /// <summary>Jobs that an answer to a creation shows; the others are in the list.</summary>
    private const int MaxShown = 200;

    private static readonly Dictionary<string, ItemOrder> Orders = new()
    {
        ["created_at"] = ItemOrder.Created, ["updated_at"] = ItemOrder.Updated, ["status"] = ItemOrder.Standing, ["original_filename"] = ItemOrder.Name, ["file_size"] = ItemOrder.Size,
    };

    public static WebApplication MapCollectionFamily(this WebApplication app)
    {
        var largest = app.Services.GetRequiredService<PipelineOptions>().MaxFileSizeBytes;
        app.MapPost("/ingest-file", IngestFileAsync).WithMetadata(new RequestSizeLimitAttribute(largest + FamilyForm.Around));
        app.MapPost("/ingest-url", IngestUrlAsync);
        app.MapPost("/ingest-base", IngestBaseAsync);
        app.MapGet("/config/ingestion", (HttpContext http, IOptions<RefreshOptions> refresh) => Tagged.Answer(http, new { RefreshRate = refresh.Value.Seconds }));
        var jobs = app.MapGroup("/collections/{collection_id}");
        jobs.MapGet("/ingestion-jobs", ListAsync);
        jobs.MapGet("/ingestion-jobs/{job_id:long}", FindAsync);
        jobs.MapPost("/ingestion-jobs/{job_id:long}/retry", RetryAsync);
        jobs.MapPost("/ingestion-jobs/{job_id:long}/cancel", CancelAsync);
        jobs.MapGet("/ingestion-status", StatusAsync);
        return app;
    }

    private static async Task<IResult> IngestFileAsync(
        HttpContext http, FamilyIntake intake, CollectionItems items, UploadStore store, PipelineOptions limits, IOptions<ProcessingOptions> defaults, CancellationToken ct)
    {
        var form = await FamilyForm.ReadAsync(http.Request, limits.MaxFileSizeBytes, ct);
        form.RequireKnown("collection_id", "name", "options", "metadata");
        if (form.Files is not [var file]) throw new IngestionException(ErrorCodes.InvalidOption, form.Files.Count == 0 ? "file is missing: send it as a part of the form." : "file: send one file at a time.");
        var options = ProcessingOptions.Read(form.Json("options"), defaults.Value);
        var metadata = form.Json("metadata") is { } given ? JsonFields.Read(() => FamilyRequest.Metadata("metadata", given)) : null;
        if (await items.CollectionAsync(http.User.Scope(), form.Field("collection_id", 200) ?? Collection.DefaultKey, ct) is not { } collection) return NoCollection(form.Field("collection_id", 200));
        var upload = await FamilyForm.KeepAsync(store, http.Actor(), file, UploadPurposes.File, metadata, ct);
        var request = new SubmissionRequest(form.Field("name", 200) ?? Path.GetFileName(upload.Path)) { Collection = collection.Key, Options = options, Uploads = [upload.PublicId], OpenArchives = false };
        var batch = await intake.SubmitAsync(http, request, [collection.Key, upload.Path, upload.Sha256!, JsonSerializer.Serialize(options), JsonSerializer.Serialize(metadata)], [upload], ct);
        return Wire.Answer(IngestionJob.Of(collection.Id, (await items.OfBatchAsync(http.User.Scope(), batch.Id, 1, ct))[0]));
    }

    private static async Task<IResult> IngestUrlAsync(HttpContext http, FamilyIntake intake, CollectionItems items, IOptions<ProcessingOptions> defaults, CancellationToken ct)
    {
        var (request, body) = await ReadAsync(http, b => CollectionRequest.ReadUrls(b, defaults.Value), ct);
        return await SubmitAsync(http, intake, items, request, r => new(r.Name ?? Shortened(r.Urls[0].Url)) { Urls = r.Urls, Options = r.Options }, body, ct);
    }

    private static async Task<IResult> IngestBaseAsync(HttpContext http, FamilyIntake intake, CollectionItems items, IOptions<ProcessingOptions> defaults, CancellationToken ct)
    {
        var (request, body) = await ReadAsync(http, b => CollectionRequest.ReadSource(b, defaults.Value), ct);
        return await SubmitAsync(http, intake, items, request,
            r => new(r.Name ?? Shortened(r.Source!.Source ?? r.Source.ConnectionId ?? r.Source.SourceType)) { Sources = [r.Source!], Options = r.Options }, body, ct);
    }

    private static async Task<IResult> SubmitAsync(
        HttpContext http, FamilyIntake intake, CollectionItems items, CollectionRequest request, Func<CollectionRequest, SubmissionRequest> submission, string body, CancellationToken ct)
    {
        if (await items.CollectionAsync(http.User.Scope(), request.Collection, ct) is not { } collection) return NoCollection(request.Collection);
        var batch = await intake.SubmitAsync(http, submission(request) with { Collection = collection.Key }, [body], [], ct);
        var rows = await items.OfBatchAsync(http.User.Scope(), batch.Id, MaxShown, ct);
        return Wire.Answer(new { BatchId = batch.PublicId, CollectionId = collection.Id, Jobs = rows.Select(r => IngestionJob.Of(collection.Id, r)), Total = batch.Counts.Total });
    }

    private static async Task<IResult> ListAsync(
        HttpContext http, [FromRoute(Name = "collection_id")] string collectionId, CollectionItems items, string? status, int? limit, int? offset,
        [FromQuery(Name = "sort_by")] string? sortBy, [FromQuery(Name = "sort_order")] string? sortOrder, CancellationToken ct)
    {
        if (await items.CollectionAsync(http.User.Scope(), collectionId, ct) is not { } collection) return NoCollection(collectionId);
        var standings = string.IsNullOrEmpty(status) ? null : CollectionWords.Standings(status);
        var (take, skip) = (FamilyPaging.Limit(limit, DefaultLimit, MaxLimit), FamilyPaging.Offset(offset));
        if (!Orders.TryGetValue(sortBy ?? "created_at", out var order)) throw new IngestionException(ErrorCodes.InvalidOption, $"sort_by must be one of {string.Join(", ", Orders.Keys)}.");
        if (sortOrder is not (null or "asc" or "desc")) throw new IngestionException(ErrorCodes.InvalidOption, "sort_order must be asc or desc.");
        var page = await items.ListAsync(http.User.Scope(), collection.Id, standings, order, sortOrder != "asc", skip, take, ct);
        return Tagged.Answer(http, new { CollectionId = collection.Id, page.Total, Limit = take, Offset = skip, HasMore = skip + page.Rows.Count < page.Total, Jobs = page.Rows.Select(r => IngestionJob.Of(collection.Id, r)) });
    }

    private static Task<IResult> FindAsync(
        HttpContext http, [FromRoute(Name = "collection_id")] string collectionId, [FromRoute(Name = "job_id")] long jobId, CollectionItems items, CancellationToken ct) =>
        WithJobAsync(http, items, collectionId, jobId, (collection, row) => Task.FromResult(Detail(http, collection, row)), ct);

    private static async Task<IResult> RetryAsync(
        HttpContext http, [FromRoute(Name = "collection_id")] string collectionId, [FromRoute(Name = "job_id")] long jobId, CollectionItems items, BatchRetry retry, EmbeddingModels models, CancellationToken ct)
    {
        var (_, json) = await Batches.BodyAsync(http.Request, ct);
        using var body = json;
        return await WithJobAsync(http, items, collectionId, jobId, async (collection, row) =>
        {
            var options = body is null ? null : JsonFields.Read(() => Parameters(body.RootElement, row));
            if (options is not null) models.Resolve(options.EmbeddingModelPreference);
            return CollectionWords.Of(ItemStandings.Of(row.Item)) is not CollectionWords.Failed and not CollectionWords.Cancelled and var word
                ? Refused($"Only a failed or cancelled job runs again; this one is {word}.")
                : await ActedAsync(http, items, collection, row, await retry.RetryAsync(http.Actor(), row.Item.BatchId, RetryScope.Failed, [jobId], options, ct), ct);
        }, ct);
    }

    private static Task<IResult> CancelAsync(
        HttpContext http, [FromRoute(Name = "collection_id")] string collectionId, [FromRoute(Name = "job_id")] long jobId, CollectionItems items, ItemControl control, CancellationToken ct) =>
        WithJobAsync(http, items, collectionId, jobId, async (collection, row) =>
            CollectionWords.Of(ItemStandings.Of(row.Item)) is not CollectionWords.Pending and not CollectionWords.Processing and var word
                ? Refused($"The job is {word} already.")
                : await ActedAsync(http, items, collection, row, await control.CancelAsync(http.Actor(), row.Item.BatchId, [jobId], ct), ct), ct);

    private static async Task<IResult> StatusAsync(HttpContext http, [FromRoute(Name = "collection_id")] string collectionId, CollectionItems items, CancellationToken ct)
    {
        var scope = http.User.Scope();
        if (await items.CollectionAsync(scope, collectionId, ct) is not { } collection) return NoCollection(collectionId);
        var counts = await items.CountAsync(scope, collection.Id, ct);
        var failures = await items.ListAsync(scope, collection.Id, CollectionWords.Standings(CollectionWords.Failed), ItemOrder.Updated, descending: true, 0, RecentFailures, ct);
        var oldest = await items.ListAsync(scope, collection.Id, CollectionWords.Standings(CollectionWords.Processing), ItemOrder.Created, descending: false, 0, 1, ct);
        return Tagged.Answer(http, new
        {
            CollectionId = collection.Id,
            TotalJobs = counts.Values.Sum(),
            ByStatus = CollectionWords.All.ToDictionary(word => word, word => counts.Where(c => CollectionWords.Of(c.Key) == word).Sum(c => c.Value)),
            RecentFailures = failures.Rows.Select(r => IngestionJob.Of(collection.Id, r)),
            OldestProcessingJob = oldest.Rows.Select(r => IngestionJob.Of(collection.Id, r)).FirstOrDefault(),
        });
    }

    private static async Task<(CollectionRequest Request, string Body)> ReadAsync(HttpContext http, Func<JsonElement, CollectionRequest> read, CancellationToken ct)
    {
        var (bytes, json) = await Batches.BodyAsync(http.Request, ct);
        using var body = json ?? throw new IngestionException(ErrorCodes.InvalidOption, "Send a JSON object.");
        return (JsonFields.Read(() => read(body.RootElement)), Convert.ToBase64String(bytes));
    }

    private static async Task<IResult> WithJobAsync(HttpContext http, CollectionItems items, string collectionId, long jobId, Func<CollectionRef, CollectionItem, Task<IResult>> act, CancellationToken ct)
    {
        var scope = http.User.Scope();
        if (await items.CollectionAsync(scope, collectionId, ct) is not { } collection) return NoCollection(collectionId);
        return await items.FindAsync(scope, collection.Id, jobId, ct) is { } row
            ? await act(collection, row)
            : Wire.Refuse(StatusCodes.Status404NotFound, string.Create(CultureInfo.InvariantCulture, $"There is no ingestion job {jobId} in this collection."));
    }

    private static async Task<IResult> ActedAsync(HttpContext http, CollectionItems items, CollectionRef collection, CollectionItem row, ControlResult result, CancellationToken ct) =>
        !result.Done ? Refused(result.Message) : Detail(http, collection, await items.FindAsync(http.User.Scope(), collection.Id, row.Item.Id, ct) ?? row);

    // The whole of what it was run with, with what the caller names laid over.
    private static ProcessingOptions? Parameters(JsonElement body, CollectionItem row)
    {
        ProcessingOptions? options = null;
        foreach (var member in JsonFields.Members("The body", body))
            options = member.Name is "override_params" or "options"
                ? member.Value.ValueKind == JsonValueKind.Null ? options : ProcessingOptions.Read(member.Value, ProcessingOptions.Read(JsonSerializer.Deserialize<JsonElement>(row.Options), new()))
                : throw new IngestionException(ErrorCodes.InvalidOption, $"{JsonFields.Shown(member.Name)} is not known here. Known are: override_params, options.");
        return options;
    }

    private static IResult Detail(HttpContext http, CollectionRef collection, CollectionItem row) => Tagged.Answer(http, IngestionJobDetail.Of(collection.Id, row, http.User.May(Permission.Ingest)));

    private static IResult Refused(string message) => Wire.Refuse(StatusCodes.Status409Conflict, message);

    private static IResult NoCollection(string? id) => Wire.Refuse(StatusCodes.Status404NotFound, $"There is no collection {JsonFields.Shown(id ?? "")}.");

    private static string Shortened(string name) => name.Length <= 200 ? name : name[..199] + "…";
}
