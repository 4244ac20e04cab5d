namespace Ingestion.Core.Parsing;

/// <summary>The line <c>&lt;!-- page:N --&gt;</c> that stands before each page's text where a format has pages.</summary>
public static class PageMarker
{
    private const string Open = "<!-- page:";
    private const string Close = " -->";

    public static string For(int page) => $"{Open}{page}{Close}";

    /// <summary>True for a line that is a marker and nothing else; blanks around it do not matter.</summary>
    public static bool Is(ReadOnlySpan<char> line)
    {
        line = line.Trim();
        return line.StartsWith(Open) && line.EndsWith(Close) && line.Length > Open.Length + Close.Length
            && !line[Open.Length..^Close.Length].ContainsAnyExceptInRange('0', '9');
    }
}
