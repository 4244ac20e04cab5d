using System.Text;
using Ingestion.Core.Parsing;

namespace Ingestion.Core.Chunking;

/// <summary>
/// Packs blocks into chunks. The open chunk is a range of the Markdown: its own text from start to end, before it the overlap, and
/// around both what a split table or fence needs to be understood alone.
/// </summary>
internal sealed class ChunkPacker(string markdown, ChunkingOptions options)
{
    private const string PageMark = "<!-- page:";

    // An overlap near the size would leave a chunk no room for anything new.
    private readonly int _overlap = Math.Min(options.Overlap, options.Size / 2);
    private int _ordinal;
    private int _start = -1, _end, _from;
    private string _lead = "", _path = "";
    private int _headingLevel;
    private int _proseStart;

    private bool IsOpen => _start >= 0;

    private bool HoldsOnlyHeadings => IsOpen && _headingLevel > 0;

    /// <summary>Takes the next block in order; returns the chunks that this completes.</summary>
    public IEnumerable<Chunk> Add(Block block)
    {
        if (block.Kind == BlockKind.Heading && !(HoldsOnlyHeadings && block.Level > _headingLevel))
        {
            if (Close() is { } section) yield return section;
            _proseStart = _end = block.Start;
        }
        if (IsOpen && !Fits(block.End) && !HoldsOnlyHeadings && FitsAlone(block) && (_end - _start >= options.Size / 2 || block.Kind is BlockKind.Table or BlockKind.Fence))
            if (Close() is { } full) yield return full;
        if (!IsOpen) Open(block.Start, block.Path, block.Kind);
        if (Fits(block.End)) Extend(block, block.End);
        else
            foreach (var chunk in Split(block)) yield return chunk;
    }

    /// <summary>Completes the open chunk; null where there is none.</summary>
    public Chunk? Close() => Close("");

    private Chunk? Close(string tail)
    {
        if (!IsOpen) return null;
        var text = _lead + WithoutMarkers(_from, _end) + tail;
        var (start, end) = (_start, _end);
        (_start, _lead, _headingLevel) = (-1, "", 0);
        return string.IsNullOrWhiteSpace(text) ? null : new Chunk(_ordinal++, _path, text, start, end);
    }

    private void Open(int start, string path, BlockKind kind)
    {
        (_start, _from, _path, _lead) = (start, start, path, "");
        if (kind is BlockKind.Text or BlockKind.ListItem && _end > _proseStart && _overlap > 0)
        {
            var tail = _proseStart + TextCut.Tail(markdown.AsSpan(_proseStart, _end - _proseStart), _overlap);
            // A long blank stretch between the two would use the room up.
            if (start - tail <= options.Size * 3 / 4 && tail < _end) _from = tail;
        }
    }

    private bool Fits(int end) => _lead.Length + end - _from <= options.Size;

    private bool FitsAlone(Block block) => block.End - block.Start <= options.Size - (block.Kind is BlockKind.Text or BlockKind.ListItem ? _overlap : 0);

    private void Extend(Block block, int end)
    {
        _end = end;
        _path = block.Path;
        _headingLevel = block.Kind == BlockKind.Heading ? block.Level : 0;
        if (block.Kind is BlockKind.Table or BlockKind.Fence) _proseStart = end;
        // Only the end of the chunk before is ever repeated, so a start further back would make this quadratic.
        else _proseStart = Math.Max(_proseStart, end - 2 * options.Size);
    }

    private IEnumerable<Chunk> Split(Block block)
    {
        var (lead, tail) = Frame(block);
        for (var at = block.Start; at < block.End;)
        {
            if (!IsOpen)
            {
                Open(at, block.Path, block.Kind);
                if (at > block.Start) _lead = lead;
            }
            var room = options.Size - _lead.Length - (at - _from) - tail.Length;
            if (_end > _start && at > _start && room < options.Size / 4)
            {
                if (Close() is { } crowded) yield return crowded;
                continue;
            }
            var cut = Cut(block, at, room);
            Extend(block, at + markdown.AsSpan(at, cut).TrimEnd().Length);
            var next = NextStart(at + cut, block.End);
            if (next < block.End && Close(tail) is { } piece) yield return piece;
            at = next;
        }
    }

    /// <summary>What stands before and after each later piece of a split block: a table's header, a fence's opening and closing.</summary>
    private (string Lead, string Tail) Frame(Block block)
    {
        var head = markdown.AsSpan(block.Start, block.HeadEnd - block.Start);
        if (head.Length == 0 || head.Length > options.Size / 2) return ("", "");
        if (block.Kind == BlockKind.Table) return (head.ToString() + "\n", "");
        var mark = head.Trim();
        var length = mark.IndexOfAnyExcept(mark[0]) is > 0 and var n ? n : mark.Length;
        return length > 20 ? ("", "") : (head.ToString() + "\n", "\n" + mark[..length].ToString());
    }

    private int Cut(Block block, int at, int room)
    {
        var rest = markdown.AsSpan(at, block.End - at);
        if (block.Kind is not (BlockKind.Table or BlockKind.Fence)) return TextCut.Best(rest, room);
        // A table's header alone says nothing; its first row belongs to it.
        var lines = TextCut.Lines(rest, room);
        return lines > block.HeadEnd + 1 - at && lines > 0 ? lines : TextCut.Best(rest, room);
    }

    /// <summary>The next character that is not blank, or the beginning of its line where only indentation stands before it.</summary>
    private int NextStart(int at, int end)
    {
        var next = at;
        while (next < end && char.IsWhiteSpace(markdown[next])) next++;
        if (next >= end) return end;
        var line = markdown.AsSpan(at, next - at).LastIndexOf('\n') + 1;
        return at == 0 || markdown[at - 1] == '\n' || line > 0 ? at + line : next;
    }

    private string WithoutMarkers(int from, int end)
    {
        var text = markdown.AsSpan(from, end - from);
        if (!text.Contains(PageMark, StringComparison.Ordinal)) return text.ToString();
        var kept = new StringBuilder(text.Length);
        var skipped = false;
        foreach (var line in text.EnumerateLines())
        {
            var isMarker = PageMarker.Is(line);
            if (!isMarker && !(skipped && line.IsWhiteSpace())) kept.Append(line).Append('\n');
            skipped = isMarker || skipped && line.IsWhiteSpace();
        }
        return kept.ToString().TrimEnd('\n');
    }
}
