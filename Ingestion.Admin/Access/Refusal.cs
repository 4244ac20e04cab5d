using Ingestion.Admin.Api;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Access;

/// <summary>How someone who is not let in is answered: a person by a page, a program by a sentence.</summary>
internal static class Refusal
{
    public static Task UnauthorizedAsync(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return Answers.WriteAsync(context, StatusCodes.Status401Unauthorized,
            "Authentication is needed: send an API key in the header X-Api-Key.");
    }

    public static Task ForbiddenAsync(HttpContext context)
    {
        if (!context.Request.WantsPage())
            return Answers.WriteAsync(context, StatusCodes.Status403Forbidden, "This caller may not do that.", ("code", ErrorCodes.Forbidden.Code), ("remedy", ErrorCodes.Forbidden.Remedy));
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }
}
