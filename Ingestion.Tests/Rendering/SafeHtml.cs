using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using Shouldly;

namespace Ingestion.Tests.Rendering;

/// <summary>Reads HTML as a browser does and fails for anything in it that could act.</summary>
internal static class SafeHtml
{
    private static readonly HashSet<string> Elements = new(StringComparer.OrdinalIgnoreCase)
    {
        "p", "h1", "h2", "h3", "h4", "h5", "h6", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "a", "br", "hr",
    };

    private static readonly HashSet<string> Attributes = new(StringComparer.OrdinalIgnoreCase) { "href", "title", "rel", "target", "class", "start", "style", "type" };

    public static void Check(string html)
    {
        foreach (var element in new HtmlParser().ParseDocument($"<body>{html}</body>").Body!.QuerySelectorAll("*"))
        {
            Elements.ShouldContain(element.LocalName, html);
            foreach (var attribute in element.Attributes)
            {
                Attributes.ShouldContain(attribute.Name, html);
                if (attribute.Name == "style") attribute.Value.ShouldBeOneOf("text-align: left;", "text-align: right;", "text-align: center;");
                if (attribute.Name == "class") (attribute.Value == "page-mark" || attribute.Value.StartsWith("language-", StringComparison.Ordinal)).ShouldBeTrue(html);
            }
            CheckLink(element, html);
        }
    }

    /// <summary>Any page: no address of it runs or loads something of a stranger.</summary>
    public static void CheckLink(IElement element, string html)
    {
        if (element.GetAttribute("href") is not { } href) return;
        var clean = string.Concat(href.Where(c => c > ' '));
        (clean.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || clean.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || clean.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase)).ShouldBeTrue(html);
        element.GetAttribute("rel")!.ShouldContain("noopener");
    }
}
