using System.Text.Json.Serialization;
using Ingestion.Admin.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.AspNetCore.Mvc;

namespace Ingestion.Admin.Api;

/// <summary>
/// <c>/api/v1/uploads</c>: files come in as raw bodies, in parts that can be continued, or in one request where they are small. A file
/// that is too large is refused by what its client announces, before a byte of it is read.
/// </summary>
internal static class Uploads
{
    private const string Root = "/api/v1/uploads";

    /// <summary>Largest part of one request, in bytes; what is larger comes in several.</summary>
    private const long MaxPart = 64L << 20;
    private const int MaxListed = 1000;

    public static WebApplication MapUploads(this WebApplication app)
    {
        var largest = app.Services.GetRequiredService<PipelineOptions>().MaxFileSizeBytes;
        var uploads = app.MapGroup(Root).AddEndpointFilter<UploadConflicts>();
        uploads.MapPost("/", AnnounceAsync).WithMetadata(CreatesOnce.Mark);
        uploads.MapPost("/file", SendWholeAsync).WithMetadata(new RequestSizeLimitAttribute(largest));
        uploads.MapGet("/", ListAsync);
        uploads.MapDelete("/", RemoveAllAsync);
        uploads.MapGet("/{id}", FindAsync);
        uploads.MapPut("/{id}", SendPartAsync).WithMetadata(new RequestSizeLimitAttribute(MaxPart));
        uploads.MapDelete("/{id}", RemoveAsync);
        return app;
    }

    private static async Task<IResult> AnnounceAsync(HttpContext http, UploadStore store, BatchQueries batches, Announcement? body, CancellationToken ct)
    {
        if (body?.Problem() is { } problem) return Bad(problem);
        if (body is null) return Bad("Send a JSON object with path and size.");
        var draft = await DraftAsync(http, batches, body.Batch, ct);
        if (draft.Refusal is { } refusal) return refusal;
        var upload = await store.CreateAsync(http.Actor(), new(body.Path!, body.Size!.Value, draft.Id, body.Purpose ?? UploadPurposes.File, body.MediaType, body.Metadata), ct);
        return Wire.Answer(View(store, upload), StatusCodes.Status201Created);
    }

    private static async Task<IResult> SendWholeAsync(
        HttpContext http, UploadStore store, BatchQueries batches, string? path, long? size, string? batch, string? purpose, CancellationToken ct)
    {
        var announced = new Announcement(path, size ?? http.Request.ContentLength, batch, purpose, MediaType(http.Request), null);
        if (announced.Problem() is { } problem) return Bad(problem);
        store.RequireSize(UploadPath.Clean(path!), Math.Max(announced.Size!.Value, http.Request.ContentLength ?? 0));
        var draft = await DraftAsync(http, batches, batch, ct);
        if (draft.Refusal is { } refusal) return refusal;
        var upload = await store.CreateAsync(http.Actor(), new(path!, announced.Size.Value, draft.Id, purpose ?? UploadPurposes.File, announced.MediaType), ct);
        if (upload.CompletedAt is null && await store.WriteAsync(http.User.Scope(), upload.PublicId, 0, http.Request.Body, ct) is null) return Unknown(upload.PublicId);
        return await store.FindAsync(http.User.Scope(), upload.PublicId, ct) is { } written
            ? Wire.Answer(View(store, written), StatusCodes.Status201Created)
            : Unknown(upload.PublicId);
    }

    private static async Task<IResult> SendPartAsync(HttpContext http, UploadStore store, string id, long? offset, CancellationToken ct)
    {
        if (offset is not >= 0) return Bad("Say with ?offset= where these bytes belong.");
        if (http.Request.ContentLength > MaxPart)
            throw new IngestionException(ErrorCodes.TooLarge, $"A part has at most {MaxPart:N0} bytes; send the file in several parts.");
        var scope = http.User.Scope();
        if (await store.WriteAsync(scope, id, offset.Value, http.Request.Body, ct) is null) return Unknown(id);
        return await store.FindAsync(scope, id, ct) is { } upload ? Wire.Answer(View(store, upload)) : Unknown(id);
    }

    private static async Task<IResult> FindAsync(HttpContext http, UploadStore store, string id, CancellationToken ct) =>
        await store.FindAsync(http.User.Scope(), id, ct) is { } upload ? Wire.Answer(View(store, upload)) : Unknown(id);

    private static async Task<IResult> ListAsync(
        HttpContext http, UploadStore store, BatchQueries batches, string? batch, string? purpose, long? after, int? take, CancellationToken ct)
    {
        if (batch is null || await batches.FindAsync(http.User.Scope(), batch, ct) is not { } found) return NoBatch(batch);
        var rows = await store.ListAsync(http.User.Scope(), found.Id, purpose ?? UploadPurposes.File, after ?? 0, Math.Clamp(take ?? MaxListed, 1, MaxListed), ct);
        return Wire.Answer(new { Uploads = rows.Select(u => View(store, u)), Next = rows.Count > 0 ? rows[^1].Id : (long?)null });
    }

    private static async Task<IResult> RemoveAsync(HttpContext http, UploadStore store, string id, CancellationToken ct)
    {
        if (await store.FindAsync(http.User.Scope(), id, ct) is null) return Unknown(id);
        return await store.RemoveAsync(http.Actor(), id, ct)
            ? Results.NoContent()
            : Wire.Refuse(StatusCodes.Status409Conflict, "This upload belongs to a batch that was started; it cannot be removed any more.");
    }

    private static async Task<IResult> RemoveAllAsync(HttpContext http, UploadStore store, BatchQueries batches, string? batch, string? purpose, bool? unfinished, CancellationToken ct)
    {
        if (batch is null || await batches.FindAsync(http.User.Scope(), batch, ct) is not { } found) return NoBatch(batch);
        if (!found.Draft) throw new DraftGoneException();
        return Wire.Answer(new { Removed = await store.RemoveAllAsync(http.Actor(), found.Id, purpose ?? UploadPurposes.File, unfinished ?? false, ct) });
    }

    private static async Task<(long? Id, IResult? Refusal)> DraftAsync(HttpContext http, BatchQueries batches, string? batch, CancellationToken ct)
    {
        if (batch is null) return (null, null);
        if (await batches.FindAsync(http.User.Scope(), batch, ct) is not { } found) return (null, NoBatch(batch));
        return found.Draft ? (found.Id, null) : throw new DraftGoneException();
    }

    private static UploadView View(UploadStore store, Upload u) => new(u.PublicId, u.Path, store.OffsetOf(u), u.Size, u.CompletedAt is not null, u.Sha256);

    private static string? MediaType(HttpRequest request) => request.ContentType is { Length: <= 200 } type && type != "application/octet-stream" ? type : null;

    private static IResult Bad(string detail) => Wire.Refuse(StatusCodes.Status400BadRequest, detail);

    private static IResult Unknown(string id) => Wire.Refuse(StatusCodes.Status404NotFound, $"There is no upload {id}.");

    private static IResult NoBatch(string? batch) => batch is null ? Bad("Name the batch with ?batch=.") : Wire.Refuse(StatusCodes.Status404NotFound, $"There is no batch {batch}.");

    private sealed record UploadView(string Id, string Path, long Offset, long Size, bool Complete, string? Sha256);

    internal sealed record Announcement(
        string? Path, long? Size, string? Batch, string? Purpose, [property: JsonPropertyName("media_type")] string? MediaType, IReadOnlyDictionary<string, string>? Metadata)
    {
        /// <summary>What is wrong with it, in a sentence that names the member; null where nothing is.</summary>
        public string? Problem() =>
            string.IsNullOrWhiteSpace(Path) ? "path is missing: the name of the file, with its folders."
            : Path.Length > 10_000 ? "path is longer than 10,000 characters."
            : Size is null ? "size is missing: the length of the file in bytes."
            : Size < 0 ? "size must not be negative."
            : Purpose is not (null or UploadPurposes.File or UploadPurposes.Manifest) ? $"purpose must be {UploadPurposes.File} or {UploadPurposes.Manifest}."
            : MediaType?.Length > 200 ? "media_type is longer than 200 characters."
            : Metadata is { Count: > 100 } || Metadata?.Sum(m => m.Key.Length + (m.Value?.Length ?? 0)) > 20_000 ? "metadata has more than 100 names or 20,000 characters."
            : Metadata?.Any(m => m.Value is null) is true ? "metadata must hold texts."
            : null;
    }
}

/// <summary>Two endings that belong to uploads alone: an offset that is not ours, and a draft that takes no more.</summary>
internal sealed class UploadConflicts : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (UploadOffsetException e)
        {
            return Results.Problem("The bytes do not continue what is here: go on from offset.", statusCode: StatusCodes.Status409Conflict,
                extensions: new Dictionary<string, object?> { ["offset"] = e.Offset });
        }
        catch (DraftGoneException e)
        {
            return Results.Problem(e.Message, statusCode: StatusCodes.Status409Conflict, extensions: new Dictionary<string, object?> { ["code"] = "draft_gone" });
        }
    }
}
