using Ingestion.Admin.Access;
using Ingestion.Core.Library;

namespace Ingestion.Admin.Api;

/// <summary>
/// <c>/api/v1/documents/{version}/markdown</c> and <c>…/raw</c>: a version's files to keep. Always an attachment of a type that no browser
/// runs: what strangers wrote must not become a page of ours.
/// </summary>
internal static class DocumentsApi
{
    public static WebApplication MapDocuments(this WebApplication app)
    {
        var files = app.MapGroup("/api/v1/documents/{version:long}");
        files.MapGet("/markdown", async (HttpContext http, long version, DocumentFiles documents, CancellationToken ct) =>
            Send(http, await documents.MarkdownAsync(http.User.Scope(), version, ct)));
        files.MapGet("/raw", async (HttpContext http, long version, DocumentFiles documents, CancellationToken ct) =>
            Send(http, await documents.RawAsync(http.User.Scope(), version, ct)));
        return app;
    }

    private static IResult Send(HttpContext http, StoredFile? file)
    {
        if (file is null) return Results.Problem("There is no such document, or its file is gone.", statusCode: StatusCodes.Status404NotFound);
        http.Response.Headers.ContentSecurityPolicy = SecurityHeaders.OfStrangers;
        return Results.Stream(file.Content, file.MediaType, file.Name, enableRangeProcessing: file.Content.CanSeek);
    }
}
