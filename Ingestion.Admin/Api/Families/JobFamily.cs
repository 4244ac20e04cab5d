using System.Security.Cryptography;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Api.Families;

/// <summary>
/// <c>/batch</c>: jobs over files of several sources, for clients that create, start and watch them. A job is a batch. Creation
/// answers 200 and waits for <c>start</c>; what is wrong is 400 naming the field; foreign and unknown jobs are 404 alike.
/// </summary>
internal static class JobFamily
{
    private const int MaxFiles = 1000;

    public static WebApplication MapJobs(this WebApplication app)
    {
        var batch = app.MapGroup("/batch");
        batch.MapPost("/jobs", CreateAsync).WithMetadata(new RequestSizeLimitAttribute(FamilyRequest.MaxBody));
        batch.MapPost("/jobs/list", ListAsync);
        batch.MapGet("/jobs/{job_id}", ShowAsync);
        batch.MapPost("/jobs/{job_id}/control", ControlAsync);
        batch.MapGet("/statistics", StatisticsAsync);
        batch.MapGet("/ws/{user_id}", JobSocket.RunAsync);
        return app;
    }

    /// <summary>A job in the caller's reach; null also for another's than the named user's.</summary>
    internal static async Task<BatchView?> FindAsync(BatchQueries batches, Scope scope, string id, string? user, CancellationToken ct) =>
        await batches.FindAsync(scope, id, ct) is { Draft: false } job && (user is null || job.CreatedBy == user) ? job : null;

    internal static IResult Unknown(string id) => Wire.Refuse(StatusCodes.Status404NotFound, $"There is no job {JsonFields.Shown(id)}.");

    private static async Task<IResult> CreateAsync(HttpContext http, BatchQueries batches, JobAnswers answers, IOptions<ProcessingOptions> defaults, CancellationToken ct)
    {
        var (bytes, json) = await Batches.BodyAsync(http.Request, ct);
        using var body = json;
        var wanted = JsonFields.Read(() => JobRequest.ReadCreation(FamilyRequest.Object(body), defaults.Value));
        if (await FamilyRequest.RefusalAsync(http, wanted.UserId, ct) is { } foreign) return foreign;
        var (submitted, refusal) = await FamilyRequest.SubmitAsync(http, wanted.Submission with { Owner = wanted.UserId }, SHA256.HashData(bytes), ct);
        if (submitted is null) return refusal!;
        // Whoever creates for another may not see it: then there is nothing to show.
        return await batches.FindAsync(http.User.Scope(), submitted.PublicId, ct) is { } job
            ? Wire.Answer(await answers.JobAsync(http.User.Scope(), job, 0, MaxFiles, ct))
            : Unknown(submitted.PublicId);
    }

    private static async Task<IResult> ShowAsync(
        HttpContext http, [FromRoute(Name = "job_id")] string id, [FromQuery(Name = "user_id")] string? user, [FromQuery(Name = "files_offset")] int? skip,
        [FromQuery(Name = "files_limit")] int? take, BatchQueries batches, JobAnswers answers, CancellationToken ct) =>
        await FindAsync(batches, http.User.Scope(), id, user, ct) is { } job
            ? Tagged.Answer(http, await answers.JobAsync(http.User.Scope(), job, Math.Max(0, skip ?? 0), Math.Clamp(take ?? MaxFiles, 0, MaxFiles), ct))
            : Unknown(id);

    private static async Task<IResult> ControlAsync(
        HttpContext http, [FromRoute(Name = "job_id")] string id, BatchQueries batches, BatchControl control, BatchRetry retry, CancellationToken ct)
    {
        var (_, json) = await Batches.BodyAsync(http.Request, ct);
        using var body = json;
        var act = JsonFields.Read(() => JobRequest.ReadAct(FamilyRequest.Object(body)));
        if (await FamilyRequest.RefusalAsync(http, act.UserId, ct) is not null || await FindAsync(batches, http.User.Scope(), id, act.UserId, ct) is not { } job) return Unknown(id);
        var actor = http.Actor();
        var result = await (act.Action switch
        {
            "start" => control.StartAsync(actor, job.Id, ct),
            "pause" => control.PauseAsync(actor, job.Id, ct),
            "resume" => control.ResumeAsync(actor, job.Id, ct),
            "cancel" => control.CancelAsync(actor, job.Id, ct),
            "retry" => retry.RetryAsync(actor, job.Id, act.FailedOnly ? RetryScope.Failed : RetryScope.All, null, null, ct),
            _ => throw FamilyRequest.Invalid("action must be one of start, pause, resume, cancel, retry."),
        });
        return result.Done ? Wire.Answer(new { Success = true, Message = $"Job {act.Action} successful" }) : Wire.Refuse(StatusCodes.Status400BadRequest, result.Message);
    }

    private static async Task<IResult> ListAsync(HttpContext http, BatchQueries batches, CancellationToken ct)
    {
        var (_, json) = await Batches.BodyAsync(http.Request, ct);
        using var body = json;
        var wanted = JsonFields.Read(() => JobRequest.ReadListing(FamilyRequest.Object(body)));
        if (await FamilyRequest.RefusalAsync(http, wanted.UserId, ct) is { } foreign) return foreign;
        var filter = new BatchFilter { CreatedBy = wanted.UserId ?? http.User.Id(), States = wanted.States };
        var page = await batches.ListAsync(http.User.Scope(), filter, wanted.Offset, wanted.Limit, ct);
        return Wire.Answer(new { Jobs = page.Rows.Select(JobAnswers.Summary), TotalJobs = page.Total, HasMore = wanted.Offset + page.Rows.Count < page.Total });
    }

    private static async Task<IResult> StatisticsAsync(HttpContext http, [FromQuery(Name = "user_id")] string? user, BatchStatistics statistics, CancellationToken ct) =>
        Tagged.Answer(http, JobAnswers.Statistics(await statistics.ReadAsync(http.User.Scope(), user ?? http.User.Id(), ct)));
}
