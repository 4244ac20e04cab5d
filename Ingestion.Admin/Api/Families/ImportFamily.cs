using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Api.Families;

/// <summary>
/// <c>/v1/admin/bulk-import/batches</c>: CSV manifests of addresses, each a batch with jobs, tasks and events. A batch is named by its UUID;
/// the id that other routes use is understood too. Work starts at once.
/// </summary>
internal static class ImportFamily
{
    private const string Root = "/v1/admin/bulk-import/batches";
    private const int MaxLimit = 1000;

    public static WebApplication MapImportFamily(this WebApplication app)
    {
        var largest = app.Services.GetRequiredService<PipelineOptions>().MaxFileSizeBytes;
        var batches = app.MapGroup(Root);
        batches.MapPost("/", CreateAsync).WithMetadata(new RequestSizeLimitAttribute(largest + FamilyForm.Around));
        batches.MapGet("/", ListAsync);
        batches.MapGet("/{id}", (HttpContext http, string id, BatchTasks tasks, CancellationToken ct) => WithBatchAsync(http, id, b => AnswerAsync(http, b, tasks, StatusCodes.Status200OK, ct), ct));
        batches.MapGet("/{id}/jobs", (HttpContext http, string id, BatchTasks tasks, CancellationToken ct) => WithBatchAsync(http, id, async b =>
            Tagged.Answer(http, new { Jobs = ImportAnswers.Jobs(b, await tasks.PartsAsync(http.User.Scope(), b.Id, [.. ImportWords.Jobs.Select(j => j.Stages)], ct)) }), ct));
        batches.MapGet("/{id}/tasks", TasksAsync);
        batches.MapGet("/{id}/events", EventsAsync);
        batches.MapGet("/{id}/export", ExportAsync);
        batches.MapPost("/{id}/pause", (HttpContext http, string id, BatchControl control, CancellationToken ct) => ActAsync(http, id, (a, b) => control.PauseAsync(a, b, ct), ct));
        batches.MapPost("/{id}/resume", (HttpContext http, string id, BatchControl control, CancellationToken ct) => ActAsync(http, id, (a, b) => control.ResumeAsync(a, b, ct), ct));
        batches.MapPost("/{id}/cancel", (HttpContext http, string id, BatchControl control, CancellationToken ct) => ActAsync(http, id, (a, b) => control.CancelAsync(a, b, ct), ct));
        batches.MapPost("/{id}/retry", (HttpContext http, string id, BatchRetry retry, CancellationToken ct) => ActAsync(http, id, (a, b) => retry.RetryAsync(a, b, RetryScope.Failed, null, null, ct), ct));
        app.MapImportReviews(batches);
        return app;
    }

    private static async Task<IResult> CreateAsync(
        HttpContext http, FamilyIntake intake, UploadStore store, UploadFiles files, ManifestFolder folder, BatchTasks tasks, PipelineOptions limits, IOptions<ProcessingOptions> defaults, CancellationToken ct)
    {
        var (request, upload, ours) = http.Request.HasFormContentType
            ? await FromFormAsync(http, store, limits, defaults.Value, ct)
            : await FromJsonAsync(http, store, folder, defaults.Value, ct);
        ManifestEntry entry;
        try
        {
            entry = await request.EntryAsync(upload.PublicId, files.PathOf(upload.PublicId), ct);
        }
        catch (IngestionException) when (ours)
        {
            await store.RemoveAsync(http.Actor(), upload.PublicId, CancellationToken.None);
            throw;
        }
        var submission = new SubmissionRequest(request.Name ?? Path.GetFileName(upload.Path))
        {
            Description = request.Description, Collection = request.Collection, Priority = request.Priority, Options = request.Options, Manifests = [entry],
        };
        string[] fingerprint = [upload.Sha256!, entry.UrlColumn, entry.TitleColumn ?? "", submission.Name, request.Description ?? "", request.Collection, request.Priority.Word(), JsonSerializer.Serialize(request.Options)];
        var batch = await intake.SubmitAsync(http, submission, fingerprint, ours ? [upload] : [], ct);
        http.Response.Headers.Location = $"{Root}/{batch.Uuid}";
        return await AnswerAsync(http, batch, tasks, StatusCodes.Status201Created, ct);
    }

    private static async Task<(ImportRequest Request, Upload Upload, bool Ours)> FromFormAsync(HttpContext http, UploadStore store, PipelineOptions limits, ProcessingOptions defaults, CancellationToken ct)
    {
        var form = await FamilyForm.ReadAsync(http.Request, limits.MaxFileSizeBytes, ct);
        var request = ImportRequest.Read(form, defaults);
        if (form.Files is not [var file]) throw new IngestionException(ErrorCodes.InvalidOption, form.Files.Count == 0 ? "file is missing: send the CSV manifest as a part of the form." : "file: send one manifest at a time.");
        return (request, await FamilyForm.KeepAsync(store, http.Actor(), file, UploadPurposes.Manifest, null, ct), true);
    }

    private static async Task<(ImportRequest Request, Upload Upload, bool Ours)> FromJsonAsync(HttpContext http, UploadStore store, ManifestFolder folder, ProcessingOptions defaults, CancellationToken ct)
    {
        var (_, json) = await Batches.BodyAsync(http.Request, ct);
        using var body = json ?? throw new IngestionException(ErrorCodes.InvalidOption, "Send a form with a CSV file, or a JSON object that names one.");
        var request = JsonFields.Read(() => ImportRequest.Read(body.RootElement, defaults));
        if (request.Upload is { } id)
            return await store.FindAsync(http.User.Scope(), id, ct) is { CompletedAt: not null } known
                ? (request, known, false)
                : throw new IngestionException(ErrorCodes.InvalidOption, $"upload: there is no finished upload {JsonFields.Shown(id)}.");
        await using var content = File.OpenRead(folder.PathOf(request.File!));
        var upload = await store.CreateAsync(http.Actor(), new(request.File!, content.Length, null, UploadPurposes.Manifest, "text/csv"), ct);
        if (upload.CompletedAt is null) await store.WriteAsync(http.User.Scope(), upload.PublicId, 0, content, ct);
        return (request, await store.FindAsync(http.User.Scope(), upload.PublicId, ct) ?? upload, true);
    }

    private static async Task<IResult> ListAsync(HttpContext http, BatchQueries batches, BatchTasks tasks, string? status, int? limit, int? offset, CancellationToken ct)
    {
        var (take, skip) = (FamilyPaging.Limit(limit, 50, 200), FamilyPaging.Offset(offset));
        var page = await batches.ListAsync(http.User.Scope(), new() { States = string.IsNullOrEmpty(status) ? null : ImportWords.Batches(status) }, skip, take, ct);
        var manifests = await tasks.ManifestsAsync(http.User.Scope(), [.. page.Rows.Select(b => b.Id)], ct);
        return Tagged.Answer(http, new { Batches = page.Rows.Select(b => ImportAnswers.Of(b, manifests[b.Id])), page.Total, Limit = take, Offset = skip });
    }

    private static Task<IResult> TasksAsync(
        HttpContext http, string id, BatchTasks tasks, string? status, [FromQuery(Name = "job_type")] string? jobType, int? limit, int? offset, CancellationToken ct) =>
        WithBatchAsync(http, id, async batch =>
        {
            var scope = http.User.Scope();
            var (take, skip) = (FamilyPaging.Limit(limit, 100, MaxLimit), FamilyPaging.Offset(offset));
            var standings = string.IsNullOrEmpty(status) ? null : ImportWords.Tasks(status);
            var stages = string.IsNullOrEmpty(jobType) ? null : ImportWords.Stages(jobType);
            var manifests = (await tasks.ManifestsAsync(scope, [batch.Id], ct))[batch.Id].ToList();
            // Listings come first: they are few, and everything else came out of them.
            var listings = stages?.Contains(Stage.Discover) is false ? [] : (await tasks.ListingsAsync(scope, batch.Id, ct)).Where(l => standings?.Contains(l.Standing) is not false)
                .Select((l, n) => ImportAnswers.Of(l, batch, l.SourceType == SourceTypes.Manifest && n < manifests.Count ? manifests[n] : l.SourceType)).ToList();
            var shown = listings.Skip(skip).Take(take).ToList();
            var items = await tasks.ItemsAsync(scope, batch.Id, standings, stages, Math.Max(0, skip - listings.Count), take - shown.Count, ct);
            return Tagged.Answer(http, new { Tasks = shown.Concat(items.Rows.Select(i => ImportAnswers.Of(i, batch))), Total = listings.Count + items.Total, Limit = take, Offset = skip });
        }, ct);

    private static Task<IResult> EventsAsync(HttpContext http, string id, ImportEvents events, long? after, int? limit, CancellationToken ct) => WithBatchAsync(http, id, async batch =>
    {
        var page = await events.ReadAsync(batch.Id, after ?? 0, FamilyPaging.Limit(limit, MaxLimit, MaxLimit), ct);
        return Tagged.Answer(http, new { Events = page.Select(ImportAnswers.Of), Next = page.Count > 0 ? page[^1].Seq : after ?? 0 });
    }, ct);

    private static Task<IResult> ExportAsync(HttpContext http, string id, BatchTasks tasks, string? format, CancellationToken ct) => WithBatchAsync(http, id, async batch =>
    {
        var export = new ImportExport(tasks, http.User.Scope(), batch);
        return format switch
        {
            null or "csv" => Results.Stream(await export.CsvAsync(ct), "text/csv; charset=utf-8", $"{batch.PublicId}.csv"),
            "json" => Results.Stream(body => export.WriteJsonAsync(body, ct), "application/json", $"{batch.PublicId}.json"),
            "jsonl" => Results.Stream(body => export.WriteLinesAsync(body, ct), "application/x-ndjson", $"{batch.PublicId}.jsonl"),
            _ => throw new IngestionException(ErrorCodes.InvalidOption, "format must be csv, json or jsonl."),
        };
    }, ct);

    private static Task<IResult> ActAsync(HttpContext http, string id, Func<Actor, long, Task<ControlResult>> act, CancellationToken ct) => WithBatchAsync(http, id, async batch =>
    {
        var (_, json) = await Batches.BodyAsync(http.Request, ct);
        using var body = json;
        var reason = body is null ? null : JsonFields.Read(() => ActRequest.Read(body.RootElement, ["reason"], batch)).Reason;
        var result = await act(http.Actor() with { Reason = reason }, batch.Id);
        if (!result.Done) return Wire.Refuse(StatusCodes.Status409Conflict, result.Message);
        var after = await http.RequestServices.GetRequiredService<BatchQueries>().FindAfterAsync(http.User.Scope(), batch, ct) ?? batch;
        return await AnswerAsync(http, after, http.RequestServices.GetRequiredService<BatchTasks>(), StatusCodes.Status200OK, ct);
    }, ct);

    private static async Task<IResult> AnswerAsync(HttpContext http, BatchView batch, BatchTasks tasks, int status, CancellationToken ct) =>
        Tagged.Answer(http, ImportAnswers.Of(batch, (await tasks.ManifestsAsync(http.User.Scope(), [batch.Id], ct))[batch.Id]), status);

    private static async Task<IResult> WithBatchAsync(HttpContext http, string id, Func<BatchView, Task<IResult>> answer, CancellationToken ct) =>
        await http.RequestServices.GetRequiredService<BatchQueries>().FindByAnyIdAsync(http.User.Scope(), id, ct) is { Draft: false } batch ? await answer(batch) : Batches.Unknown(id);
}
