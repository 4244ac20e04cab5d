using System.Text;

namespace Ingestion.Core.Parsing;

/// <summary>The inline parts of Markdown, shared by the formats that have emphasis and links.</summary>
internal static class MarkdownText
{
    /// <summary>Escapes what would otherwise be read as markup, and nothing that would not: an underscore inside a word, a star between blanks.</summary>
    public static void Escape(StringBuilder result, ReadOnlySpan<char> text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            var before = i > 0 ? text[i - 1] : result.Length > 0 ? result[^1] : ' ';
            var after = i + 1 < text.Length ? text[i + 1] : ' ';
            var special = c switch
            {
                '`' => true,
                '\\' => char.IsAsciiLetterOrDigit(after) is false && after is not ' ',
                '*' => !(char.IsWhiteSpace(before) && char.IsWhiteSpace(after)),
                '_' => !(char.IsLetterOrDigit(before) && char.IsLetterOrDigit(after)),
                '<' => char.IsAsciiLetter(after) || after is '/' or '!' or '?',
                ']' => after is '(' or '[',
                _ => false,
            };
            if (special) result.Append('\\');
            result.Append(c);
        }
    }

    /// <summary>Text between two marks, blanks kept outside of them; text of several lines or without words stays plain.</summary>
    public static string Wrap(string mark, string text)
    {
        var inner = text.Trim();
        if (inner.Length == 0 || inner.Contains('\n') || inner.StartsWith(mark, StringComparison.Ordinal)) return text;
        return (char.IsWhiteSpace(text[0]) ? " " : "") + mark + inner + mark + (char.IsWhiteSpace(text[^1]) ? " " : "");
    }

    /// <summary>A link on its text, blanks kept outside.</summary>
    public static string Link(string text, string target)
    {
        var inner = text.Trim();
        if (inner.Length == 0 || inner.Contains('\n')) return text;
        return (char.IsWhiteSpace(text[0]) ? " " : "") + $"[{inner}]({target})" + (char.IsWhiteSpace(text[^1]) ? " " : "");
    }

    /// <summary>A code span whose fence is longer than any in the code.</summary>
    public static string Code(string code)
    {
        var text = code.Trim();
        if (text.Length == 0) return "";
        if (!text.Contains('`')) return $"`{text}`";
        var fence = new string('`', LongestRun(text, '`') + 1);
        return $"{fence} {text} {fence}";
    }

    /// <summary>A code block whose fence is longer than any in the code.</summary>
    public static string Fence(string code, string language)
    {
        var fence = new string('`', Math.Max(3, LongestRun(code, '`') + 1));
        return $"{fence}{language}\n{code}\n{fence}";
    }

    /// <summary>Guards a paragraph's first characters where they would begin a heading, list, quote or rule.</summary>
    public static string GuardStart(string paragraph)
    {
        if (paragraph.Length == 0) return paragraph;
        var marks = 0;
        while (marks < paragraph.Length && paragraph[marks] == '#') marks++;
        if (marks is >= 1 and <= 6 && (marks == paragraph.Length || paragraph[marks] == ' ')) return "\\" + paragraph;
        if (paragraph[0] == '>' || paragraph[0] is '-' or '+' && paragraph.Length > 1 && paragraph[1] == ' ' || paragraph.StartsWith("---", StringComparison.Ordinal)) return "\\" + paragraph;
        var digits = 0;
        while (digits < paragraph.Length && digits < 10 && char.IsAsciiDigit(paragraph[digits])) digits++;
        return digits is > 0 and < 10 && digits + 1 < paragraph.Length && paragraph[digits] is '.' or ')' && paragraph[digits + 1] == ' '
            ? paragraph.Insert(digits, "\\") : paragraph;
    }

    private static int LongestRun(string text, char c)
    {
        int longest = 0, run = 0;
        foreach (var x in text) longest = Math.Max(longest, run = x == c ? run + 1 : 0);
        return longest;
    }
}
