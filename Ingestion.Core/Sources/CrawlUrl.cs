using System.Text;

namespace Ingestion.Core.Sources;

/// <summary>
/// One spelling for an address that has many: no fragment, no default port, parameters in order, escapes in capitals and only where they
/// are needed, without marks of advertising. What is fetched is this spelling.
/// </summary>
internal static class CrawlUrl
{
    private static readonly HashSet<string> Marks = new(StringComparer.OrdinalIgnoreCase) { "gclid", "fbclid", "msclkid", "mc_cid", "mc_eid", "igshid", "phpsessid", "jsessionid" };

    public static Uri Normalize(Uri url)
    {
        var text = new StringBuilder(url.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped)).Append(Escapes(url.AbsolutePath));
        var query = Query(url.Query);
        if (query.Length > 0) text.Append('?').Append(query);
        return new Uri(text.ToString());
    }

    /// <summary>The part that is the same for all queries.</summary>
    public static string WithoutQuery(Uri url) => url.GetLeftPart(UriPartial.Path);

    /// <summary>Escapes in one spelling: those of letters, digits, <c>-._~</c> written out, the others in capitals.</summary>
    public static string Escapes(string text)
    {
        if (!text.Contains('%')) return text;
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%' || i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
            {
                result.Append(text[i]);
                continue;
            }
            var value = (char)Convert.ToByte(text.Substring(i + 1, 2), 16);
            if (char.IsAsciiLetterOrDigit(value) || value is '-' or '.' or '_' or '~') result.Append(value);
            else result.Append('%').Append(char.ToUpperInvariant(text[i + 1])).Append(char.ToUpperInvariant(text[i + 2]));
            i += 2;
        }
        return result.ToString();
    }

    /// <summary>A path that says the same again and again, as sites make it whose relative links are wrong: <c>/a/b/a/b/a/b</c>.</summary>
    public static bool IsRepeating(Uri url)
    {
        var segments = url.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return segments.Length > 8 && segments.GroupBy(s => s, StringComparer.Ordinal).Any(g => g.Count() > 3);
    }

    private static string Query(string query)
    {
        if (query.Length < 2) return "";
        var parameters = query[1..].Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(p => Escapes(p))
            .Where(p => p.Split('=')[0] is var name && !Marks.Contains(name) && !name.StartsWith("utm_", StringComparison.OrdinalIgnoreCase));
        return string.Join('&', parameters.Order(StringComparer.Ordinal));
    }
}
