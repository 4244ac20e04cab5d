using System.Text;
using Ingestion.Core.Parsing;

namespace Ingestion.Core.Chunking;

/// <summary>What a block is, as far as splitting cares.</summary>
internal enum BlockKind { Text, ListItem, Table, Fence, Heading }

/// <summary>A run of whole lines of one kind.</summary>
/// <param name="Start">First character in the Markdown.</param>
/// <param name="End">After the last character that is not blank.</param>
/// <param name="Path">The headings above it, a heading's own included.</param>
/// <param name="HeadEnd">Tables: end of header and rule. Fences: end of the opening line. Else equal to <paramref name="Start"/>.</param>
/// <param name="Level">Headings: 1 to 6. Else 0.</param>
internal readonly record struct Block(BlockKind Kind, int Start, int End, string Path, int HeadEnd, int Level);

/// <summary>
/// Reads Markdown as a sequence of blocks, line by line: headings, fences, tables, list items, paragraphs. Page markers and blank lines
/// belong to none. A scanner, not a parser: linear, nothing nests, and every character that is not blank lies in exactly one block.
/// </summary>
internal sealed class MarkdownBlocks(string markdown)
{
    private const int LongestHeading = 200;
    private readonly string?[] _headings = new string?[6];
    private int _at;
    private string _path = "";

    /// <summary>The next block; false at the end.</summary>
    public bool TryRead(out Block block)
    {
        while (_at < markdown.Length)
        {
            var line = Line(_at, out var next);
            if (line.IsWhiteSpace() || PageMarker.Is(line)) { _at = next; continue; }
            block = ReadFrom(_at, line, next);
            return true;
        }
        block = default;
        return false;
    }

    private Block ReadFrom(int start, ReadOnlySpan<char> line, int next)
    {
        if (HeadingLevel(line) is > 0 and var level) return Heading(start, start + line.Length, next, level, line.Trim().TrimStart('#').TrimEnd('#').Trim());
        if (FenceMark(line) is { Length: > 0 } mark) return Fence(start, start + line.Length, next, mark);
        var second = Line(next, out var afterSecond);
        if (line.TrimStart().StartsWith("|") && IsTableRule(second)) return Table(start, next + second.Length, afterSecond);
        if (IsListItem(line)) return Gather(BlockKind.ListItem, start, start + line.Length, next);
        if (next < markdown.Length && IsUnderline(second, out level)) return Heading(start, next + second.Length, afterSecond, level, line.Trim());
        return Gather(BlockKind.Text, start, start + line.Length, next);
    }

    private Block Heading(int start, int end, int next, int level, ReadOnlySpan<char> text)
    {
        _at = next;
        _headings[level - 1] = HeadingText(text);
        Array.Clear(_headings, level, 6 - level);
        _path = string.Join(" > ", _headings.Where(h => !string.IsNullOrEmpty(h)));
        return new Block(BlockKind.Heading, start, Trimmed(start, end), _path, start, level);
    }

    private Block Fence(int start, int headEnd, int next, ReadOnlySpan<char> mark)
    {
        var end = headEnd;
        while (next < markdown.Length)
        {
            var line = Line(next, out var after);
            end = next + line.Length;
            next = after;
            var body = line.Trim();
            if (body.Length >= mark.Length && body.TrimStart(mark[0]).IsEmpty) break;
        }
        _at = next;
        return new Block(BlockKind.Fence, start, Trimmed(start, end), _path, headEnd, 0);
    }

    private Block Table(int start, int headEnd, int next)
    {
        var end = headEnd;
        while (next < markdown.Length)
        {
            var line = Line(next, out var after);
            if (!line.TrimStart().StartsWith("|")) break;
            end = next + line.Length;
            next = after;
        }
        _at = next;
        return new Block(BlockKind.Table, start, Trimmed(start, end), _path, headEnd, 0);
    }

    /// <summary>Lines up to a blank one or one that begins something else.</summary>
    private Block Gather(BlockKind kind, int start, int end, int next)
    {
        while (next < markdown.Length)
        {
            var line = Line(next, out var after);
            if (line.IsWhiteSpace() || PageMarker.Is(line) || HeadingLevel(line) > 0 || FenceMark(line).Length > 0 || IsListItem(line)) break;
            if (line.TrimStart().StartsWith("|") && IsTableRule(Line(after, out _))) break;
            end = next + line.Length;
            next = after;
        }
        _at = next;
        return new Block(kind, start, Trimmed(start, end), _path, start, 0);
    }

    private ReadOnlySpan<char> Line(int at, out int next)
    {
        if (at >= markdown.Length) { next = at; return default; }
        var rest = markdown.AsSpan(at);
        var length = rest.IndexOf('\n');
        next = length < 0 ? markdown.Length : at + length + 1;
        return length < 0 ? rest : rest[..length];
    }

    private int Trimmed(int start, int end) => start + markdown.AsSpan(start, end - start).TrimEnd().Length;

    private static int HeadingLevel(ReadOnlySpan<char> line)
    {
        var body = line.TrimStart(' ');
        var marks = body.IndexOfAnyExcept('#');
        return line.Length - body.Length <= 3 && marks is >= 1 and <= 6 && body[marks] is ' ' or '\t' && !body[marks..].Trim().IsEmpty ? marks : 0;
    }

    private static ReadOnlySpan<char> FenceMark(ReadOnlySpan<char> line)
    {
        var body = line.TrimStart(' ');
        if (!body.StartsWith("```") && !body.StartsWith("~~~")) return default;
        var marks = body.IndexOfAnyExcept(body[0]) is > 0 and var n ? n : body.Length;
        // A code span may open a line too; a fence's first line holds no other backtick.
        return body[0] == '`' && body[marks..].Contains('`') ? default : body[..marks];
    }

    private static bool IsTableRule(ReadOnlySpan<char> line) =>
        line.Length <= 100_000 && line.Contains('-') && line.TrimStart().StartsWith("|") && !line.ContainsAnyExcept("|-: \t");

    private static bool IsListItem(ReadOnlySpan<char> line)
    {
        var body = line.TrimStart();
        if (body.Length < 2) return false;
        if (body[0] is '-' or '*' or '+') return body[1] == ' ';
        var digits = body[..Math.Min(body.Length, 10)].IndexOfAnyExceptInRange('0', '9');
        return digits is > 0 and < 10 && digits + 1 < body.Length && body[digits] is '.' or ')' && body[digits + 1] == ' ';
    }

    private static bool IsUnderline(ReadOnlySpan<char> line, out int level)
    {
        var body = line.Trim();
        level = body.Length > 0 && body[0] == '=' ? 1 : 2;
        return body.Length >= 3 && body.Length <= 1_000 && (!body.ContainsAnyExcept('=') || !body.ContainsAnyExcept('-'));
    }

    /// <summary>A heading's words without their markup: emphasis, code marks and link targets say nothing in a path.</summary>
    private static string HeadingText(ReadOnlySpan<char> text)
    {
        var words = new StringBuilder();
        for (var i = 0; i < text.Length && words.Length <= LongestHeading; i++)
            if (text[i] == '\\' && i + 1 < text.Length && char.IsPunctuation(text[i + 1])) words.Append(text[++i]);
            else if (text[i] == ']' && i + 1 < text.Length && text[i + 1] == '(' && text[i..].IndexOf(')') is > 0 and var close) i += close;
            else if (text[i] is not ('*' or '`' or '[' or ']')) words.Append(text[i]);
        var label = words.ToString().Trim();
        return label.Length <= LongestHeading ? label : label[..TextCut.Before(label, LongestHeading)].TrimEnd() + "…";
    }
}
