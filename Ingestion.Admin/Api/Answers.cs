using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.WebUtilities;

namespace Ingestion.Admin.Api;

/// <summary>The one shape of an error answer: problem details that always hold <c>detail</c>, a sentence for a person.</summary>
internal static class Answers
{
    // What belongs to programs even where a browser asks.
    private static readonly PathString[] ApiPaths = ["/api", "/batch", "/ingest", "/v1", "/config", "/health", "/metrics", "/_blazor"];

    /// <summary>True where a person with a browser waits for a page.</summary>
    /// <param name="path">What was asked for, where the request has been led elsewhere since; null takes its own.</param>
    public static bool WantsPage(this HttpRequest request, PathString? path = null) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        && !ApiPaths.Any(p => (path ?? request.Path).StartsWithSegments(p))
        && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);

    /// <summary>Writes status and sentence, with further members where a route has them (<c>code</c>, <c>remedy</c>).</summary>
    public static Task WriteAsync(HttpContext context, int status, string detail, params (string Name, object? Value)[] members)
    {
        var problem = new ProblemDetails { Status = status, Title = ReasonPhrases.GetReasonPhrase(status), Detail = detail };
        foreach (var (name, value) in members)
            problem.Extensions[name] = value;
        problem.Extensions["correlation_id"] = context.TraceIdentifier;
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(problem, options: null, contentType: "application/problem+json", context.RequestAborted);
    }
}
