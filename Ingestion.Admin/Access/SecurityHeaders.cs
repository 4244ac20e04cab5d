namespace Ingestion.Admin.Access;

/// <summary>
/// The headers of every response. Nothing is loaded from elsewhere and nobody may frame us. Style attributes are allowed
/// because components set them for sizes and positions; style elements, scripts in the page and eval are not.
/// </summary>
internal sealed class SecurityHeaders(RequestDelegate next)
{
    /// <summary>For files that strangers wrote, should a browser ever show one: nothing runs, nothing loads, and it is nobody's origin.</summary>
    public const string OfStrangers = "default-src 'none'; frame-ancestors 'none'; sandbox";

    /// <summary>The same within a page of ours, looking as it did: its own styles and embedded pictures, and still no scripts, forms, links or requests.</summary>
    public const string OfFramedStrangers = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox";

    private const string ContentSecurityPolicy =
        "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; "
        + "connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public Task InvokeAsync(HttpContext context)
    {
        context.Response.OnStarting(() =>
        {
            var headers = context.Response.Headers;
            if (headers.ContentSecurityPolicy.Count == 0)
                headers.ContentSecurityPolicy = ContentSecurityPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "same-origin";
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            if (context.Request.IsHttps)
                headers.StrictTransportSecurity = "max-age=31536000";
            // Assets say themselves how long they keep; everything else is somebody's data.
            if (headers.CacheControl.Count == 0)
                headers.CacheControl = "no-store";
            return Task.CompletedTask;
        });
        return next(context);
    }
}
