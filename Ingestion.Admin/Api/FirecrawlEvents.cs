using Ingestion.Core.Sources;

namespace Ingestion.Admin.Api;

/// <summary><c>POST /api/v1/firecrawl/events</c>: what the crawling service tells by itself. Open to anybody, and taken only with its signature.</summary>
internal static class FirecrawlEvents
{
    public const string Signature = "X-Firecrawl-Signature";

    public static WebApplication MapFirecrawl(this WebApplication app)
    {
        app.MapPost("/api/v1/firecrawl/events", async (HttpContext http, FirecrawlSignals signals, CancellationToken ct) =>
        {
            if (await signals.TakeAsync(http.Request.Body, http.Request.Headers[Signature], ct)) http.Response.StatusCode = StatusCodes.Status204NoContent;
            else await Answers.WriteAsync(http, StatusCodes.Status401Unauthorized, "The message is not signed as it must be.");
        }).AllowAnonymous();
        return app;
    }
}
