using System.Security.Cryptography;
using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Admin.Api.Live;
using Ingestion.Core.Pipeline;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Api.Families;

/// <summary>
/// <c>/ingest</c>: uploads, addresses and sites in one request that starts at once, and the job's progress as an answer and as a stream.
/// A job is a batch.
/// </summary>
internal static class BulkFamily
{
    private const int MaxDocuments = 1000;

    public static WebApplication MapBulk(this WebApplication app)
    {
        var largest = app.Services.GetRequiredService<PipelineOptions>().MaxFileSizeBytes;
        var ingest = app.MapGroup("/ingest");
        ingest.MapPost("/bulk", SubmitAsync).WithMetadata(new RequestSizeLimitAttribute(Math.Max(FamilyRequest.MaxBody, largest + BulkForm.Overhead)));
        ingest.MapGet("/jobs/{id}", FindAsync);
        ingest.MapGet("/jobs/{id}/stream", StreamAsync);
        return app;
    }

    private static async Task<IResult> SubmitAsync(HttpContext http, BatchQueries batches, IOptions<ProcessingOptions> defaults, TimeProvider time, CancellationToken ct)
    {
        if (BulkForm.Is(http.Request))
        {
            await using var form = await BulkForm.ReadAsync(http, ct);
            using var items = form.Json;
            var (answer, repeated) = await CreateAsync(http, items, form.Hash, form.Files, batches, defaults.Value, time, ct);
            // What an earlier request with the same key brought is there already.
            if (!repeated) form.Keep();
            return answer;
        }
        var (bytes, json) = await Batches.BodyAsync(http.Request, ct);
        using var body = json ?? throw FamilyRequest.Invalid("Send a JSON array of items.");
        return (await CreateAsync(http, body, SHA256.HashData(bytes), new Dictionary<string, string>(), batches, defaults.Value, time, ct)).Answer;
    }

    private static async Task<(IResult Answer, bool Repeated)> CreateAsync(
        HttpContext http, JsonDocument body, byte[] hash, IReadOnlyDictionary<string, string> files, BatchQueries batches, ProcessingOptions defaults, TimeProvider time, CancellationToken ct)
    {
        var request = JsonFields.Read(() => BulkRequest.Read(body.RootElement, defaults, files, time.GetUtcNow()));
        var webhook = WebhooksApi.Of(http, body.RootElement);
        var (submitted, refusal) = await FamilyRequest.SubmitAsync(http, request with { Webhook = webhook?.Endpoint }, hash, ct);
        if (submitted is null) return (refusal!, true);
        if (await batches.FindAsync(http.User.Scope(), submitted.PublicId, ct) is not { } job) return (JobFamily.Unknown(submitted.PublicId), submitted.Repeated);
        http.Response.Headers.Location = $"/ingest/jobs/{job.PublicId}";
        object answer = webhook is { } made && !submitted.Repeated
            // The one time that the secret is told.
            ? new { JobId = job.PublicId, Status = JobWords.Job(job.State), Webhook = new { made.Endpoint.Id, made.Secret } }
            : new { JobId = job.PublicId, Status = JobWords.Job(job.State) };
        return (Wire.Answer(answer, StatusCodes.Status202Accepted), submitted.Repeated);
    }

    private static async Task<IResult> FindAsync(HttpContext http, string id, BatchQueries batches, int? skip, int? take, CancellationToken ct)
    {
        var scope = http.User.Scope();
        if (await batches.FindAsync(scope, id, ct) is not { Draft: false } job) return JobFamily.Unknown(id);
        var (from, count) = (Math.Max(0, skip ?? 0), Math.Clamp(take ?? MaxDocuments, 0, MaxDocuments));
        var documents = await batches.ItemsAsync(scope, job.Id, new(), from, count, ct);
        var failures = await batches.ItemsAsync(scope, job.Id, new() { States = [ItemState.Failed, ItemState.Rejected] }, 0, MaxDocuments, ct);
        return Tagged.Answer(http, BulkAnswers.Job(job, documents, failures));
    }

    private static async Task<IResult> StreamAsync(HttpContext http, string id, BatchQueries batches, EventStream stream, CancellationToken ct)
    {
        if (await batches.FindAsync(http.User.Scope(), id, ct) is not { Draft: false } job) return JobFamily.Unknown(id);
        await stream.RunAsync(http, job, LiveDialect.Bulk, LiveWants.Facts);
        return Results.Empty;
    }
}
