using System.Text;
using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.AspNetCore.Mvc;

namespace Ingestion.Admin.Api;

/// <summary>
/// <c>/api/v1/drafts/{batch}/addresses</c>: a draft's pasted addresses as text, one a line. They come this way and not over the page's
/// own connection, which takes no message of the size of a long list.
/// </summary>
internal static class DraftAddresses
{
    private const int MaxBytes = 32 << 20;

    public static WebApplication MapDraftAddresses(this WebApplication app)
    {
        var addresses = app.MapGroup("/api/v1/drafts/{batch}/addresses").AddEndpointFilter<UploadConflicts>();
        addresses.MapGet("/", ReadAsync);
        addresses.MapPut("/", SaveAsync).WithMetadata(new RequestSizeLimitAttribute(MaxBytes));
        return app;
    }

    private static async Task<IResult> ReadAsync(HttpContext http, string batch, BatchQueries batches, CancellationToken ct) =>
        await batches.FindAsync(http.User.Scope(), batch, ct) is { } found
            ? Results.Text(string.Join('\n', (await batches.PastedAsync(http.User.Scope(), found.Id, ct)).Select(u => u.Url)))
            : NoDraft(batch);

    private static async Task<IResult> SaveAsync(HttpContext http, string batch, BatchQueries batches, Drafts drafts, SafeHttp fetching, CancellationToken ct)
    {
        if (await batches.FindAsync(http.User.Scope(), batch, ct) is not { } found) return NoDraft(batch);
        if (!found.Draft) throw new DraftGoneException();
        using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
        var pasted = PastedLines.Read(await reader.ReadToEndAsync(ct), fetching.Rules);
        await drafts.SetUrlsAsync(http.Actor(), found.Id, pasted.Entries, ct);
        return Results.Json(pasted.Summary, JsonSerializerOptions.Web);
    }

    private static IResult NoDraft(string batch) => Results.Problem($"There is no batch {batch}.", statusCode: StatusCodes.Status404NotFound);
}
