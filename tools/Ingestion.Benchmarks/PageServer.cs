namespace Ingestion.Benchmarks;

/// <summary>Serves a folder's HTML files from memory, as a plain web server would: length and type, nothing else.</summary>
internal static class PageServer
{
    public const string Verb = "serve-pages";

    public static async Task<int> RunAsync(string folder)
    {
        var pages = Names(folder).ToDictionary(n => "/" + n, n => File.ReadAllBytes(Path.Join(folder, n)));
        return await LoopbackServer.ServeAsync(async context =>
        {
            if (!pages.TryGetValue(context.Request.Path.Value ?? "", out var page))
            {
                context.Response.StatusCode = 404;
                return;
            }
            context.Response.ContentType = "text/html";
            context.Response.ContentLength = page.Length;
            await context.Response.Body.WriteAsync(page, context.RequestAborted);
        });
    }

    /// <summary>The folder's pages in a fixed order.</summary>
    public static IReadOnlyList<string> Names(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*.html").Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal)];
}
