using System.Net;

namespace Ingestion.Core.Sources;

/// <summary>What a page says of where it leads.</summary>
/// <param name="Links">Targets as written, in order, each once.</param>
/// <param name="Base">What relative targets start from, as written; null for the page's own address.</param>
/// <param name="Canonical">The address that the page itself calls its own, as written; null where it calls none.</param>
/// <param name="Index">False where the page asks not to be taken.</param>
/// <param name="Follow">False where the page asks that its links be left alone.</param>
internal sealed record PageFacts(string? Title, IReadOnlyList<string> Links, string? Base, string? Canonical, bool Index, bool Follow);

/// <summary>
/// Reads links out of a page, tag by tag and without building a tree: linear in its length, however it is nested and whatever is missing.
/// </summary>
internal static class PageLinks
{
    /// <summary>Links of one page that are followed.</summary>
    public const int MaxLinks = 50_000;

    private const int MaxTarget = 8192;

    public static PageFacts Read(string html)
    {
        var (links, seen) = (new List<string>(), new HashSet<string>(StringComparer.Ordinal));
        string? title = null, start = null, canonical = null;
        var (index, follow) = (true, true);
        void Add(string? target)
        {
            if (target is { Length: > 0 and <= MaxTarget } && target[0] != '#' && links.Count < MaxLinks && seen.Add(target)) links.Add(target);
        }

        for (var at = 0; (at = html.IndexOf('<', at)) >= 0;)
        {
            if (html.AsSpan(at).StartsWith("<!--"))
            {
                at = html.IndexOf("-->", at + 4, StringComparison.Ordinal) is >= 0 and var end ? end + 3 : html.Length;
                continue;
            }
            var tag = Tag.Read(html, ref at);
            switch (tag.Name)
            {
                case "a" or "area":
                    if (!tag.Has("rel", "nofollow")) Add(tag["href"]);
                    break;
                case "frame" or "iframe":
                    Add(tag["src"]);
                    break;
                case "base":
                    start ??= tag["href"];
                    break;
                case "link" when tag.Has("rel", "canonical"):
                    canonical ??= tag["href"];
                    break;
                case "link" when tag.Has("rel", "next") || tag.Has("rel", "prev"):
                    Add(tag["href"]);
                    break;
                case "meta" when tag["name"]?.ToLowerInvariant() is "robots" or "ingestion":
                    var content = (tag["content"] ?? "").ToLowerInvariant();
                    if (content.Contains("noindex", StringComparison.Ordinal) || content.Contains("none", StringComparison.Ordinal)) index = false;
                    if (content.Contains("nofollow", StringComparison.Ordinal) || content.Contains("none", StringComparison.Ordinal)) follow = false;
                    break;
                case "title" when title is null:
                    var close = html.IndexOf("</", at, StringComparison.Ordinal) is >= 0 and var found ? found : html.Length;
                    title = Clean(html[at..close]);
                    break;
                case "script" or "style" or "textarea" or "noscript" or "template":
                    at = html.IndexOf("</" + tag.Name, at, StringComparison.OrdinalIgnoreCase) is >= 0 and var over ? over + 2 : html.Length;
                    break;
            }
        }
        return new(title, links, start, canonical, index, follow);
    }

    private static string? Clean(string text)
    {
        var decoded = WebUtility.HtmlDecode(text.Length <= 4000 ? text : text[..4000]);
        var words = decoded.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 0 ? null : new string([.. string.Join(' ', words).Where(c => !char.IsControl(c) && !char.IsSurrogate(c)).Take(300)]);
    }

    /// <summary>One opening tag with its attributes; everything else has an empty name.</summary>
    private readonly record struct Tag(string Name, Dictionary<string, string>? Attributes)
    {
        private static readonly HashSet<string> Known = ["a", "area", "frame", "iframe", "base", "link", "meta", "title", "script", "style", "textarea", "noscript", "template"];

        public string? this[string name] => Attributes?.GetValueOrDefault(name) is { } value ? WebUtility.HtmlDecode(value).Trim() : null;

        public bool Has(string attribute, string word) => this[attribute] is { } value && value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Contains(word, StringComparer.OrdinalIgnoreCase);

        /// <summary>Reads what begins at <paramref name="at"/> with a &lt; and leaves the position behind it.</summary>
        public static Tag Read(string html, ref int at)
        {
            var start = ++at;
            while (at < html.Length && char.IsAsciiLetterOrDigit(html[at])) at++;
            var name = at - start is > 0 and < 12 ? html[start..at].ToLowerInvariant() : "";
            if (!Known.Contains(name)) return new("", null);
            var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
            while (at < html.Length && html[at] != '>')
            {
                if (char.IsWhiteSpace(html[at]) || html[at] == '/')
                {
                    at++;
                    continue;
                }
                var begin = at;
                while (at < html.Length && html[at] is not ('=' or '>' or '/') && !char.IsWhiteSpace(html[at])) at++;
                var attribute = at - begin is > 0 and < 40 ? html[begin..at].ToLowerInvariant() : "";
                while (at < html.Length && char.IsWhiteSpace(html[at])) at++;
                if (at >= html.Length || html[at] != '=')
                {
                    // A name alone, or a sign that no name begins with: it is stepped over, so that the reading goes on.
                    if (at == begin) at++;
                    continue;
                }
                at++;
                attributes.TryAdd(attribute, Value(html, ref at));
            }
            if (at < html.Length) at++;
            return new(name, attributes);
        }

        private static string Value(string html, ref int at)
        {
            while (at < html.Length && char.IsWhiteSpace(html[at])) at++;
            if (at >= html.Length) return "";
            int begin, end;
            if (html[at] is '"' or '\'')
            {
                begin = at + 1;
                end = html.IndexOf(html[at], begin) is >= 0 and var close ? close : html.Length;
                at = Math.Min(end + 1, html.Length);
            }
            else
            {
                begin = at;
                while (at < html.Length && html[at] != '>' && !char.IsWhiteSpace(html[at])) at++;
                end = at;
            }
            return end - begin <= MaxTarget ? html[begin..end] : "";
        }
    }
}
