using Ingestion.Admin.Api;
using Microsoft.OpenApi;

namespace Ingestion.Admin.OpenApi;

/// <summary>The description of the API: <c>/openapi/v1.json</c> for programs; a page tells people the same.</summary>
internal static class ApiReferenceSetup
{
    public static WebApplicationBuilder AddApiReference(this WebApplicationBuilder builder)
    {
        builder.Services.AddOpenApi(ApiDocument.Name, o => o.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1);
        builder.Services.AddSingleton<ApiDocument>();
        return builder;
    }

    public static WebApplication MapApiReference(this WebApplication app)
    {
        app.MapGet("/openapi/v1.json", async (HttpContext http, ApiDocument document, CancellationToken ct) => Tagged.Bytes(http, await document.BytesAsync(ct), "application/json"))
            .AllowAnonymous();
        return app;
    }
}
