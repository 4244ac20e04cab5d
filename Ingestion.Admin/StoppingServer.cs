namespace Ingestion.Admin;

/// <summary>
/// Turns away what still comes while the server stops. A page whose connection is closed asks for another one at once, over a connection that
/// stands; served, it would hold the stop for all the time that is given to it.
/// </summary>
internal sealed class StoppingServer(RequestDelegate next, IHostApplicationLifetime lifetime)
{
    private const string SecondsUntilAnother = "5";

    public Task InvokeAsync(HttpContext context)
    {
        if (!lifetime.ApplicationStopping.IsCancellationRequested) return next(context);
        context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        (context.Response.Headers.Connection, context.Response.Headers.RetryAfter) = ("close", SecondsUntilAnother);
        return Task.CompletedTask;
    }
}
