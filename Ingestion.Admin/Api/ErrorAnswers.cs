using System.Globalization;
using Ingestion.Core.Pipeline;
using Microsoft.AspNetCore.Diagnostics;

namespace Ingestion.Admin.Api;

/// <summary>Turns what went wrong into an answer. A caller gets a sentence and the correlation id; the trace stays in the log.</summary>
internal static partial class ErrorAnswers
{
    public static WebApplicationBuilder AddErrorAnswers(this WebApplicationBuilder builder)
    {
        builder.Services.AddExceptionHandler<Handler>();
        // A parameter that cannot be read comes here too, so that the answer can name it.
        builder.Services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        return builder;
    }

    public static WebApplication UseErrorAnswers(this WebApplication app)
    {
        // Pages first try the handler too; it leaves them to the error page.
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandlingPath = "/error", CreateScopeForErrors = true });
        app.UseWhen(context => !context.Request.WantsPage(), api => api.UseStatusCodePages(AnswerStatusAsync));
        app.UseWhen(context => context.Request.WantsPage(), pages => pages.UseStatusCodePagesWithReExecute("/not-found", "?status={0}"));
        return app;
    }

    /// <summary>The status that a code of the taxonomy has over HTTP.</summary>
    internal static int StatusOf(ErrorCode code) => code.Code switch
    {
        "not_found" or "gone" => StatusCodes.Status404NotFound,
        "forbidden" or "quota_exceeded" => StatusCodes.Status403Forbidden,
        "too_large" or "too_many_items" => StatusCodes.Status413PayloadTooLarge,
        "storage_full" => StatusCodes.Status507InsufficientStorage,
        "database_busy" or "embedding_unavailable" => StatusCodes.Status503ServiceUnavailable,
        _ when code.Class is ErrorClass.Throttled => StatusCodes.Status429TooManyRequests,
        _ when code.Class is ErrorClass.Bug => StatusCodes.Status500InternalServerError,
        _ when code.Class is ErrorClass.Transient => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status400BadRequest,
    };

    private static Task AnswerStatusAsync(StatusCodeContext context)
    {
        var (http, status) = (context.HttpContext, context.HttpContext.Response.StatusCode);
        return Answers.WriteAsync(http, status, status switch
        {
            StatusCodes.Status404NotFound => "Nothing is at this address.",
            StatusCodes.Status405MethodNotAllowed => $"{http.Request.Method} is not possible here.",
            StatusCodes.Status413PayloadTooLarge => "The request is too large.",
            StatusCodes.Status415UnsupportedMediaType => "The content type is not supported here.",
            _ => "The request cannot be answered.",
        });
    }

    // The framework's own sentences: Failed to bind parameter "int? limit" from "many".
    [System.Text.RegularExpressions.GeneratedRegex("parameter \"(?:[^\" ]+ )*([^\" ]+)\"", System.Text.RegularExpressions.RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 100)]
    private static partial System.Text.RegularExpressions.Regex Parameter();

    private sealed class Handler : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken ct)
        {
            // By now the request stands at the error page.
            if (context.Request.WantsPage(context.Features.Get<IExceptionHandlerPathFeature>()?.Path))
                return false;
            await (exception switch
            {
                IngestionException { Code: var code } known => KnownAsync(context, known, code),
                IdempotencyConflictException conflict => Answers.WriteAsync(context, StatusCodes.Status422UnprocessableEntity, conflict.Message),
                BadHttpRequestException bad => Answers.WriteAsync(context, bad.StatusCode, bad.StatusCode == StatusCodes.Status413PayloadTooLarge
                    ? "The request is too large."
                    : Parameter().Match(bad.Message) is { Success: true } named ? $"{named.Groups[1].Value} is missing or not well formed." : "The request is not well formed."),
                // How the server tells of a part whose length is no number.
                IOException { InnerException: OverflowException } => Answers.WriteAsync(context, StatusCodes.Status400BadRequest, "The request is not well formed."),
                _ when Transient.Is(exception) => AwayAsync(context),
                _ => Answers.WriteAsync(context, StatusCodes.Status500InternalServerError,
                    "Something went wrong on our side. The log tells more under the correlation id."),
            });
            return true;
        }

        private static Task AwayAsync(HttpContext context)
        {
            context.Response.Headers.RetryAfter = "5";
            return Answers.WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "The database does not answer at the moment. Try again in a few seconds.");
        }

        private static Task KnownAsync(HttpContext context, IngestionException known, ErrorCode code)
        {
            if (known.RetryAfter is { } wait)
                context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            return Answers.WriteAsync(context, StatusOf(code), known.Message, ("code", code.Code), ("remedy", code.Remedy));
        }
    }
}
