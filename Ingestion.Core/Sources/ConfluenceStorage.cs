using System.Net;
using System.Text;
using System.Xml;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// Turns a page's storage format into a plain web page, which the parser of web pages then turns into Markdown. What each macro becomes is
/// written in docs/confluence_html_to_markdown_strategy.md. Links become absolute; nothing is fetched.
/// </summary>
internal sealed class ConfluenceStorage
{
    private const string Macros = "urn:ac";
    private const string References = "urn:ri";
    private const int Deepest = 200;

    private static readonly HashSet<string> Kept = ["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption", "pre", "code", "blockquote", "strong", "b", "em", "i", "u", "s", "del", "sub", "sup", "a", "br", "hr", "dl", "dt", "dd"];
    private static readonly HashSet<string> Boxes = ["info", "note", "warning", "tip", "panel", "success", "error"];
    private static readonly string[] Attributes = ["href", "colspan", "rowspan", "title"];

    private readonly StringBuilder _page = new();
    private readonly string _base;

    private ConfluenceStorage(string address) => _base = address;

    /// <summary>A whole page. Throws <c>corrupt</c> where the storage format is no well-formed XML, <c>limit_exceeded</c>.</summary>
    /// <param name="address">The site's address, without a slash at its end.</param>
    public static string ToHtml(string title, string storage, string address)
    {
        var writer = new ConfluenceStorage(address);
        try
        {
            // Names of characters are those of HTML, which XML does not know; its namespaces are never declared.
            var text = $"<x xmlns:ac=\"{Macros}\" xmlns:ri=\"{References}\">{Entities(storage)}</x>";
            using var reader = XmlReader.Create(new StringReader(text), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, CheckCharacters = false, IgnoreComments = true });
            reader.MoveToContent();
            writer.Children(reader, 0);
        }
        catch (XmlException e)
        {
            throw new IngestionException(ErrorCodes.Corrupt, "The page's storage format is no well-formed XML.", e);
        }
        var name = WebUtility.HtmlEncode(title);
        return $"<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>{name}</title></head><body><main><h1>{name}</h1>{writer._page}</main></body></html>";
    }

    // Stands on an element; ends on its end.
    private void Children(XmlReader reader, int depth)
    {
        if (reader.IsEmptyElement) return;
        if (depth > Deepest) throw new IngestionException(ErrorCodes.LimitExceeded, $"The page is nested deeper than {Deepest} levels.");
        while (reader.Read() && reader.NodeType != XmlNodeType.EndElement)
            if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace) _page.Append(WebUtility.HtmlEncode(reader.Value));
            else if (reader.NodeType == XmlNodeType.Element) Element(reader, depth + 1);
    }

    private void Element(XmlReader reader, int depth)
    {
        switch (reader.NamespaceURI, reader.LocalName)
        {
            case (Macros, "structured-macro" or "macro"):
                Macro(reader, depth);
                break;
            case (Macros, "link"):
                Link(reader, depth);
                break;
            case (Macros, "image" or "parameter" or "placeholder" or "task-id" or "task-uuid"):
                Skip(reader);
                break;
            case (Macros, "emoticon"):
                _page.Append(WebUtility.HtmlEncode(reader.GetAttribute("emoji-fallback", Macros) ?? ""));
                Skip(reader);
                break;
            case (Macros, "task-list"):
                Wrapped(reader, "ul", depth);
                break;
            case (Macros, "task"):
                Wrapped(reader, "li", depth);
                break;
            case (Macros, "task-status"):
                _page.Append(Text(reader) == "complete" ? "[x] " : "[ ] ");
                break;
            case ("", "time"):
                _page.Append(WebUtility.HtmlEncode(reader.GetAttribute("datetime") ?? ""));
                Skip(reader);
                break;
            case ("", "script" or "style" or "img" or "iframe" or "object" or "embed"):
                Skip(reader);
                break;
            case ("", var name) when Kept.Contains(name):
                Wrapped(reader, name, depth);
                break;
            default:
                // Layouts, sections, spans and what nobody knows yet: what is inside counts.
                Children(reader, depth);
                break;
        }
    }

    private void Macro(XmlReader reader, int depth)
    {
        var name = reader.GetAttribute("name", Macros) ?? "";
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var isCode = name is "code" or "noformat";
        if (reader.IsEmptyElement) return;
        if (Boxes.Contains(name)) _page.Append("<blockquote>");
        var headed = false;
        while (reader.Read() && reader.NodeType != XmlNodeType.EndElement)
        {
            if (reader.NodeType != XmlNodeType.Element) continue;
            switch (reader.NamespaceURI, reader.LocalName)
            {
                case (Macros, "parameter"):
                    parameters[reader.GetAttribute("name", Macros) ?? ""] = Text(reader);
                    break;
                case (Macros, "plain-text-body"):
                    var body = WebUtility.HtmlEncode(Text(reader).Trim('\r', '\n'));
                    _page.Append(isCode ? $"<pre><code class=\"language-{WebUtility.HtmlEncode(parameters.GetValueOrDefault("language", ""))}\">{body}</code></pre>" : $"<p>{body}</p>");
                    break;
                case (Macros, "rich-text-body"):
                    Head();
                    Children(reader, depth + 1);
                    break;
                default:
                    Skip(reader);
                    break;
            }
        }
        if (name is "status") _page.Append(WebUtility.HtmlEncode(parameters.GetValueOrDefault("title", "")));
        if (name is "jira" && parameters.TryGetValue("key", out var issue)) _page.Append(WebUtility.HtmlEncode(issue));
        if (Boxes.Contains(name)) _page.Append("</blockquote>");

        void Head()
        {
            if (!headed && parameters.TryGetValue("title", out var title) && title.Length > 0) _page.Append($"<p><strong>{WebUtility.HtmlEncode(title)}</strong></p>");
            headed = true;
        }
    }

    private void Link(XmlReader reader, int depth)
    {
        var anchor = reader.GetAttribute("anchor", Macros);
        string? address = null, words = null;
        if (reader.IsEmptyElement) return;
        var from = _page.Length;
        while (reader.Read() && reader.NodeType != XmlNodeType.EndElement)
        {
            if (reader.NodeType != XmlNodeType.Element) continue;
            switch (reader.NamespaceURI, reader.LocalName)
            {
                case (References, "page" or "blog-post"):
                    words = reader.GetAttribute("content-title", References);
                    var space = reader.GetAttribute("space-key", References);
                    if (words is not null) address = $"{_base}/pages/viewpage.action?title={Uri.EscapeDataString(words)}{(space is null ? "" : $"&spaceKey={Uri.EscapeDataString(space)}")}{(anchor is null ? "" : $"#{Uri.EscapeDataString(anchor)}")}";
                    Skip(reader);
                    break;
                case (References, var kind):
                    words = kind == "attachment" ? reader.GetAttribute("filename", References) : kind == "space" ? reader.GetAttribute("space-key", References) : words;
                    if (kind == "url") address = reader.GetAttribute("value", References);
                    Skip(reader);
                    break;
                case (Macros, "plain-text-link-body" or "link-body"):
                    Children(reader, depth + 1);
                    break;
                default:
                    Skip(reader);
                    break;
            }
        }
        if (_page.Length == from) _page.Append(WebUtility.HtmlEncode(words ?? anchor ?? ""));
        if (address is null) return;
        _page.Insert(from, $"<a href=\"{WebUtility.HtmlEncode(address)}\">").Append("</a>");
    }

    private void Wrapped(XmlReader reader, string name, int depth)
    {
        _page.Append('<').Append(name);
        foreach (var attribute in Attributes)
            if (reader.GetAttribute(attribute) is { } value)
                _page.Append($" {attribute}=\"{WebUtility.HtmlEncode(attribute == "href" && value.StartsWith('/') ? new Uri(new Uri(_base + "/"), value).AbsoluteUri : value)}\"");
        _page.Append('>');
        if (name is "br" or "hr")
        {
            Skip(reader);
            return;
        }
        Children(reader, depth);
        _page.Append("</").Append(name).Append('>');
    }

    // Both end on the element's end (or on the element, where it is empty), so that the one above reads on behind it.
    private static string Text(XmlReader reader)
    {
        var text = new StringBuilder();
        if (reader.IsEmptyElement) return "";
        for (var depth = 1; depth > 0 && reader.Read();)
            if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.SignificantWhitespace or XmlNodeType.Whitespace) text.Append(reader.Value);
            else if (reader is { NodeType: XmlNodeType.Element, IsEmptyElement: false }) depth++;
            else if (reader.NodeType == XmlNodeType.EndElement) depth--;
        return text.ToString();
    }

    private static void Skip(XmlReader reader) => Text(reader);

    // Outside of CDATA, where an ampersand is one.
    private static string Entities(string storage)
    {
        var result = new StringBuilder(storage.Length);
        for (var at = 0; at < storage.Length;)
        {
            var start = storage.IndexOf("<![CDATA[", at, StringComparison.Ordinal) is >= 0 and var found ? found : storage.Length;
            for (var i = at; i < start; i++)
            {
                var end = storage[i] == '&' ? storage.IndexOf(';', i, Math.Min(12, start - i)) : -1;
                if (end < 0 || storage[i + 1] == '#' || storage[(i + 1)..end] is "amp" or "lt" or "gt" or "quot" or "apos") result.Append(storage[i]);
                else
                {
                    result.Append(WebUtility.HtmlEncode(WebUtility.HtmlDecode(storage[i..(end + 1)])));
                    i = end;
                }
            }
            if (start == storage.Length) break;
            var close = storage.IndexOf("]]>", start, StringComparison.Ordinal) is >= 0 and var over ? over + 3 : storage.Length;
            result.Append(storage, start, close - start);
            at = close;
        }
        return result.ToString();
    }
}
