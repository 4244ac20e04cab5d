using System.Globalization;
using System.Text;

namespace Ingestion.Benchmarks;

/// <summary>
/// Serves a site that is mostly links: <c>/N/</c> leads to N lists, <c>/N/list/K</c> to <see cref="LinksOfAList"/> pages that no other list names.
/// </summary>
internal static class LinkServer
{
    public const string Verb = "serve-links";

    /// <summary>Pages that one list leads to.</summary>
    public const int LinksOfAList = 5000;

    public static Task<int> RunAsync() => LoopbackServer.ServeAsync(async context =>
    {
        var path = context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var body = path switch
        {
            [var lists] when int.TryParse(lists, CultureInfo.InvariantCulture, out var count) => Links(count, k => $"list/{k}"),
            [_, "list", var list] => Links(LinksOfAList, k => $"../page/{list}-{k}"),
            _ => null,
        };
        if (body is null)
        {
            context.Response.StatusCode = 404;
            return;
        }
        context.Response.ContentType = "text/html";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    });

    private static byte[] Links(int count, Func<int, string> target)
    {
        var html = new StringBuilder("<html><head><title>A list</title></head><body>");
        for (var k = 0; k < count; k++) html.Append(CultureInfo.InvariantCulture, $"<a href=\"{target(k)}\">{k}</a>\n");
        return Encoding.UTF8.GetBytes(html.Append("</body></html>").ToString());
    }
}
