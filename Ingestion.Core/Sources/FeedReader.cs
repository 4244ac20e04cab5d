using System.Xml;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>An entry of a feed.</summary>
/// <param name="Link">As written.</param>
/// <param name="Base">What a relative link starts from.</param>
/// <param name="Changed">What the feed says of its last change, as written; null where it says nothing.</param>
internal sealed record FeedEntry(string Link, Uri Base, string? Title, string? Changed);

/// <summary>Reads RSS 0.9 to 2.0 and Atom as a stream; a document type ends it.</summary>
internal static class FeedReader
{
    private const int MaxEntries = 10_000;

    /// <summary>The entries in their order. Throws <c>bad_content</c> where it is no feed.</summary>
    public static IReadOnlyList<FeedEntry> Read(Stream file, Uri address)
    {
        try
        {
            using var reader = XmlReader.Create(file, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreComments = true, IgnoreWhitespace = true });
            reader.MoveToContent();
            if (reader.LocalName is not ("rss" or "feed" or "RDF")) throw Bad("it is neither RSS nor Atom");
            var entries = new List<FeedEntry>();
            while (entries.Count < MaxEntries && reader.Read())
                if (reader.NodeType == XmlNodeType.Element && reader.LocalName is "item" or "entry" && Entry(reader, address) is { } entry) entries.Add(entry);
            return entries;
        }
        catch (XmlException e)
        {
            throw new IngestionException(ErrorCodes.BadContent, "The feed cannot be read: it is no well-formed XML, or holds a document type.", e);
        }
    }

    // Null where it has no link.
    private static FeedEntry? Entry(XmlReader reader, Uri address)
    {
        string? link = null, title = null, changed = null, published = null, id = null;
        var start = Uri.TryCreate(address, reader.GetAttribute("base", "http://www.w3.org/XML/1998/namespace") ?? "", out var declared) ? declared : address;
        using var entry = reader.ReadSubtree();
        entry.Read();
        entry.Read();
        while (!entry.EOF)
        {
            if (entry.NodeType != XmlNodeType.Element || entry.Depth != 1)
            {
                entry.Read();
                continue;
            }
            switch (entry.LocalName)
            {
                case "link" when entry.GetAttribute("href") is { } href:
                    if (entry.GetAttribute("rel") is null or "alternate") link ??= href;
                    entry.Skip();
                    break;
                case "link":
                    link ??= Text(entry);
                    break;
                case "title":
                    title ??= Text(entry);
                    break;
                case "updated" or "modified":
                    changed ??= Text(entry);
                    break;
                case "pubDate" or "date" or "published":
                    published ??= Text(entry);
                    break;
                case "guid" when entry.GetAttribute("isPermaLink") != "false":
                    id ??= Text(entry);
                    break;
                default:
                    entry.Skip();
                    break;
            }
        }
        link ??= id;
        return string.IsNullOrWhiteSpace(link) ? null : new(link.Trim(), start, Line(title), changed ?? published);
    }

    // Its text, whatever is nested in it; the reader stands behind the element then.
    private static string Text(XmlReader reader)
    {
        using var element = reader.ReadSubtree();
        var text = new System.Text.StringBuilder();
        while (element.Read())
            if (element.NodeType is XmlNodeType.Text or XmlNodeType.CDATA && text.Length < 8192) text.Append(element.Value);
        element.Close();
        reader.Read();
        return text.ToString().Trim();
    }

    private static string? Line(string? text) => string.IsNullOrWhiteSpace(text) ? null : string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static IngestionException Bad(string why) => new(ErrorCodes.BadContent, $"The feed cannot be read: {why}.");
}
