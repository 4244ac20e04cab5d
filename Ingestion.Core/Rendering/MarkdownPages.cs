using System.Text;
using Ingestion.Core.Parsing;

namespace Ingestion.Core.Rendering;

/// <summary>One page of a document's text.</summary>
/// <param name="Number">From 1.</param>
public sealed record MarkdownPage(string Text, int Number, int Count);

/// <summary>
/// Cuts Markdown of any length into pages for reading, between blocks where it can. Holds one page in memory. A code block or table that
/// is longer than a page goes on with its fence or its header.
/// </summary>
public static class MarkdownPages
{
    /// <summary>UTF-16 units after which the next blank line ends a page.</summary>
    public const int Size = 20_000;

    /// <summary>The page of that number, or the last where there are fewer; null for an empty text.</summary>
    public static async Task<MarkdownPage?> ReadAsync(Stream markdown, int number, CancellationToken ct)
    {
        using var reader = new StreamReader(markdown, Encoding.UTF8, leaveOpen: true);
        var pages = new Cutter(Math.Max(1, number));
        var buffer = new char[16 * 1024];
        for (int n; (n = await reader.ReadAsync(buffer, ct)) > 0;) pages.Add(buffer.AsSpan(0, n));
        return pages.End();
    }

    private sealed class Cutter(int wanted)
    {
        private const int Hard = 2 * Size;
        private readonly StringBuilder _line = new();
        private readonly StringBuilder _page = new();
        private string _last = "";
        private string? _kept;
        private int _count;
        private bool _hasText;
        private string? _fence;
        private string? _tableHead;
        private int _tableRows;

        public void Add(ReadOnlySpan<char> text)
        {
            while (text.Length > 0)
            {
                var end = text.IndexOf('\n');
                var part = end < 0 ? text : text[..end];
                // A line without an end is cut as well, between whole characters.
                var room = Size - _line.Length;
                if (part.Length > room)
                {
                    if (room > 0 && char.IsHighSurrogate(part[room - 1])) room--;
                    _line.Append(part[..Math.Max(room, 0)]);
                    text = text[Math.Max(room, 0)..];
                    EndLine();
                    continue;
                }
                _line.Append(part);
                if (end < 0) return;
                EndLine();
                text = text[(end + 1)..];
            }
        }

        public MarkdownPage? End()
        {
            if (_line.Length > 0) EndLine();
            if (_hasText) EndPage();
            return _count == 0 ? null : new(_kept ?? _last, Math.Min(wanted, _count), _count);
        }

        private void EndLine()
        {
            var line = _line.ToString();
            _line.Clear();
            var blank = string.IsNullOrWhiteSpace(line);
            Follow(line);
            _page.Append(line).Append('\n');
            _hasText |= !blank && !PageMarker.Is(line);
            if (_page.Length >= Hard || (_page.Length >= Size && blank && _fence is null)) Cut();
        }

        private void Follow(string line)
        {
            var start = line.AsSpan().TrimStart();
            if (start.StartsWith("```") || start.StartsWith("~~~"))
            {
                var marks = start.Length - start.TrimStart(start[0]).Length;
                if (_fence is null) _fence = line.Length <= 200 ? line : new string(start[0], marks);
                else if (start[0] == _fence.TrimStart()[0] && start.Trim().Length == marks && marks >= Marks(_fence)) _fence = null;
            }
            if (_fence is null && start.StartsWith("|"))
            {
                _tableRows++;
                _tableHead = _tableRows <= 2 && (_tableHead?.Length ?? 0) + line.Length < Size / 4 ? $"{_tableHead}{line}\n" : _tableRows <= 2 ? null : _tableHead;
            }
            else
            {
                (_tableRows, _tableHead) = (0, null);
            }
        }

        private void Cut()
        {
            if (_fence is not null) _page.Append(_fence.TrimStart()[0], Marks(_fence)).Append('\n');
            EndPage();
            if (_fence is not null) _page.Append(_fence).Append('\n');
            else if (_tableRows > 2) _page.Append(_tableHead);
        }

        private void EndPage()
        {
            _count++;
            _last = _page.ToString();
            if (_count == wanted) _kept = _last;
            _page.Clear();
            _hasText = false;
        }

        private static int Marks(string fence)
        {
            var start = fence.AsSpan().TrimStart();
            return start.Length - start.TrimStart(start[0]).Length;
        }
    }
}
