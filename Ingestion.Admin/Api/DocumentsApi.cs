using Ingestion.Admin.Access;
using Ingestion.Core.Library;

namespace Ingestion.Admin.Api;

/// <summary>
/// <c>/api/v1/documents/{version}/markdown</c> and <c>…/raw</c>: a version's files to keep. Always an attachment of a type that no browser
/// runs: what strangers wrote must not become a page of ours. <c>…/pages/{page}</c> and <c>…/original</c> show an original beside its text:
/// a PDF's page as a picture, a web page in a sandbox where nothing runs and nothing is loaded.
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
        files.MapGet("/pages/{page:int}", async (HttpContext http, long version, int page, PageImages images, CancellationToken ct) =>
            await images.DrawAsync(http.User.Scope(), version, page, ct) is { } image ? Results.Bytes(image, "image/png") : None());
        files.MapGet("/original", async (HttpContext http, long version, Documents documents, DocumentFiles originals, CancellationToken ct) =>
        {
            if (await documents.VersionAsync(http.User.Scope(), version, ct) is not { Format: "html" } || await originals.RawAsync(http.User.Scope(), version, ct) is not { } file) return None();
            http.Response.Headers.ContentSecurityPolicy = SecurityHeaders.OfFramedStrangers;
            return Results.Stream(file.Content, "text/html");
        });
        return app;
    }

    private static IResult Send(HttpContext http, StoredFile? file)
    {
        if (file is null) return None();
        http.Response.Headers.ContentSecurityPolicy = SecurityHeaders.OfStrangers;
        return Results.Stream(file.Content, file.MediaType, file.Name, enableRangeProcessing: file.Content.CanSeek);
    }

    private static IResult None() => Results.Problem("There is no such document, or its file is gone.", statusCode: StatusCodes.Status404NotFound);
}
