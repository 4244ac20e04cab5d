using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Api.Families;

/// <summary>
/// <c>/v1/ingest/sources/sync</c> and <c>/v1/ingest/files/upload</c>: jobs that end with the five counters of their run. A source that is not
/// configured is accepted, and its job ends in <c>error</c> saying so.
/// </summary>
internal static class SyncFamily
{
    private const int MaxFiles = 100;

    public static WebApplication MapSyncFamily(this WebApplication app)
    {
        var largest = app.Services.GetRequiredService<PipelineOptions>().MaxFileSizeBytes;
        app.MapPost("/v1/ingest/sources/sync", SyncAsync);
        app.MapPost("/v1/ingest/files/upload", UploadAsync).WithMetadata(new RequestSizeLimitAttribute(largest + FamilyForm.Around));
        app.MapGet("/v1/ingest/jobs/{job_id}", FindAsync);
        app.MapGet("/v1/jobs/{job_id}", FindAsync);
        return app;
    }

    private static async Task<IResult> SyncAsync(HttpContext http, FamilyIntake intake, Database database, BatchQueries batches, TimeProvider clock, IOptions<ProcessingOptions> defaults, CancellationToken ct)
    {
        var (bytes, json) = await Batches.BodyAsync(http.Request, ct);
        using var body = json ?? throw new IngestionException(ErrorCodes.InvalidOption, "Send a JSON object with tenant_id and source_types.");
        var request = JsonFields.Read(() => SyncRequest.Read(body.RootElement, defaults.Value));
        if (request.TenantId != http.User.TenantId()) return NoTenant(request.TenantId);
        var submission = new SubmissionRequest($"Sync {string.Join(", ", request.SourceTypes)} {clock.GetUtcNow():yyyy-MM-dd HH:mm}")
        {
            Collection = request.Collection, Options = request.Options, Sources = [.. request.SourceTypes.Select(t => new SourceSelection(t))],
        };
        var batch = await intake.SubmitAsync(http, submission, [Convert.ToBase64String(bytes)], [], ct);
        return await AnswerAsync(http, database, batches, batch, StatusCodes.Status202Accepted, ct);
    }

    private static async Task<IResult> UploadAsync(
        HttpContext http, FamilyIntake intake, UploadStore store, Database database, BatchQueries batches, PipelineOptions limits, IOptions<ProcessingOptions> defaults, CancellationToken ct)
    {
        var form = await FamilyForm.ReadAsync(http.Request, limits.MaxFileSizeBytes, ct);
        form.RequireKnown("tenant_id", "collection", "name", "options", "metadata");
        if (form.Field("tenant_id", 100) is { } tenant && tenant != http.User.TenantId()) return NoTenant(tenant);
        if (form.Files.Count is 0 or > MaxFiles) throw new IngestionException(ErrorCodes.InvalidOption, form.Files.Count == 0 ? "file is missing: send it as a part of the form." : $"file: {MaxFiles} files are allowed in one request.");
        var options = ProcessingOptions.Read(form.Json("options"), defaults.Value);
        var metadata = form.Json("metadata") is { } given ? JsonFields.Read(() => FamilyRequest.Metadata("metadata", given)) : null;
        var uploads = new List<Upload>();
        foreach (var file in form.Files) uploads.Add(await FamilyForm.KeepAsync(store, http.Actor(), file, UploadPurposes.File, metadata, ct));
        var submission = new SubmissionRequest(form.Field("name", 200) ?? Path.GetFileName(uploads[0].Path))
        {
            Collection = form.Field("collection", 200) ?? Collection.DefaultKey, Options = options, Uploads = [.. uploads.Select(u => u.PublicId)],
        };
        string[] fingerprint = [submission.Name, submission.Collection, JsonSerializer.Serialize(options), JsonSerializer.Serialize(metadata), .. uploads.SelectMany(u => new[] { u.Path, u.Sha256! })];
        var batch = await intake.SubmitAsync(http, submission, fingerprint, uploads, ct);
        return await AnswerAsync(http, database, batches, batch, StatusCodes.Status202Accepted, ct);
    }

    private static async Task<IResult> FindAsync(HttpContext http, [FromRoute(Name = "job_id")] string jobId, Database database, BatchQueries batches, CancellationToken ct) =>
        await batches.FindByAnyIdAsync(http.User.Scope(), jobId, ct) is { Draft: false } batch
            ? await AnswerAsync(http, database, batches, batch, StatusCodes.Status200OK, ct)
            : Wire.Refuse(StatusCodes.Status404NotFound, $"There is no job {JsonFields.Shown(jobId)}.");

    private static async Task<IResult> AnswerAsync(HttpContext http, Database database, BatchQueries batches, BatchView batch, int status, CancellationToken ct)
    {
        var scope = http.User.Scope();
        var inputs = await batches.InputsAsync(scope, batch.Id, ct);
        var result = batch.State.IsFinal() ? SyncResult.Of(await RunSummary.ReadAsync(database, scope, batch.Id, ct), inputs) : null;
        if (status == StatusCodes.Status202Accepted) http.Response.Headers.Location = $"/v1/ingest/jobs/{batch.PublicId}";
        return Tagged.Answer(http, SyncJob.Of(scope.TenantId, batch, inputs, result), status);
    }

    private static IResult NoTenant(string tenant) => Wire.Refuse(StatusCodes.Status404NotFound, $"There is no tenant {JsonFields.Shown(tenant)}.");
}

/// <summary>A run over sources, or over uploaded files.</summary>
/// <param name="JobPayloadJson">What was asked for.</param>
/// <param name="ResultJson">What came of it; null until it has ended.</param>
internal sealed record SyncJob(
    string JobId, string TenantId, string JobType, string JobStatus, object JobPayloadJson, SyncResult? ResultJson, string? ErrorMessage,
    DateTimeOffset CreatedAt, DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt)
{
    public static SyncJob Of(string tenant, BatchView batch, IReadOnlyList<ImportInput> inputs, SyncResult? result)
    {
        string[] types = inputs.Count == 0 ? [SourceTypes.Upload] : [.. inputs.Select(i => i.SourceType).Distinct()];
        var status = SyncWords.Of(batch.State);
        return new(batch.PublicId, tenant, inputs.Count == 0 ? "file_upload" : "source_sync", status,
            new { TenantId = tenant, SourceTypes = types, Collection = batch.CollectionKey, Options = JsonSerializer.Deserialize<JsonElement>(batch.Options) },
            result, status == SyncWords.Error ? Reason(batch, inputs) : null, batch.CreatedAt, batch.StartedAt, batch.CompletedAt);
    }

    // What a source said is nearer to the fault than what became of the batch.
    private static string Reason(BatchView batch, IReadOnlyList<ImportInput> inputs) =>
        batch.State == BatchState.Cancelled ? "Somebody cancelled the job."
        : inputs.FirstOrDefault(i => i.ErrorMessage is not null)?.ErrorMessage ?? batch.Message ?? "Every document failed.";
}

/// <summary>The counters of a run, and what went wrong with whole sources.</summary>
internal sealed record SyncResult(int DescriptorsListed, int ItemsFetched, int ItemsSkippedIncremental, int ItemsIngested, int ItemsFailed, IEnumerable<SyncError> Errors)
{
    public static SyncResult Of(RunSummary run, IReadOnlyList<ImportInput> inputs) => new(
        run.DescriptorsListed, run.ItemsFetched, run.ItemsSkippedIncremental, run.ItemsIngested, run.ItemsFailed,
        [.. inputs.Where(i => i.ErrorCode is not null).Select(i => new SyncError(i.SourceType, i.ErrorCode!, i.ErrorMessage ?? "", ErrorCodes.Find(i.ErrorCode!).Remedy))]);
}

internal sealed record SyncError(string SourceType, string Code, string Message, string Remedy);
