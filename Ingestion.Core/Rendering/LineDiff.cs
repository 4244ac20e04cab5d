namespace Ingestion.Core.Rendering;

/// <summary>What became of a line.</summary>
public enum LineChange { Same, Gone, New }

/// <summary>A line of one text or of both.</summary>
/// <param name="Before">Its number in the text before, from 1; null where it is new.</param>
/// <param name="After">Its number in the text after, from 1; null where it is gone.</param>
public sealed record DiffLine(LineChange Change, string Text, int? Before, int? After);

/// <summary>Changed lines that stand near each other, with some that are the same around them.</summary>
public sealed record DiffHunk(IReadOnlyList<DiffLine> Lines);

/// <summary>
/// The shortest way from one text to another, by lines (Myers). Bounded: texts that differ in more than <see cref="MostChanges"/> lines are told
/// apart as a whole.
/// </summary>
public static class LineDiff
{
    /// <summary>Lines that may be new or gone; time and memory grow with its square.</summary>
    public const int MostChanges = 1000;

    /// <summary>Lines shown around a change.</summary>
    private const int Around = 3;

    /// <summary>Empty where the texts are the same; null where they differ too much to be shown line by line.</summary>
    public static IReadOnlyList<DiffHunk>? Of(string before, string after)
    {
        var (a, b) = (Lines(before), Lines(after));
        var head = 0;
        while (head < a.Length && head < b.Length && a[head] == b[head]) head++;
        var tail = 0;
        while (tail < a.Length - head && tail < b.Length - head && a[^(tail + 1)] == b[^(tail + 1)]) tail++;
        if (Changes(a.AsSpan(head, a.Length - head - tail), b.AsSpan(head, b.Length - head - tail)) is not { } changes) return null;
        var lines = new List<DiffLine>(head + changes.Count + tail);
        var (i, j) = (0, 0);
        foreach (var change in Enumerable.Repeat(LineChange.Same, head).Concat(changes).Concat(Enumerable.Repeat(LineChange.Same, tail)))
            lines.Add(change switch
            {
                LineChange.Gone => new(change, a[i++], i, null),
                LineChange.New => new(change, b[j++], null, j),
                _ => new(change, a[i++], i, ++j),
            });
        return Hunks(lines);
    }

    private static string[] Lines(string text) => text.Length == 0 ? [] : text.TrimEnd('\n').Split('\n');

    // Keeps how far each diagonal was reached after each number of changes, then walks back from the end.
    private static List<LineChange>? Changes(ReadOnlySpan<string> a, ReadOnlySpan<string> b)
    {
        var reached = new List<int[]>();
        var far = new int[2 * MostChanges + 3];
        const int Zero = MostChanges + 1;
        for (var d = 0; d <= MostChanges; d++)
        {
            for (var k = -d; k <= d; k += 2)
            {
                var x = k == -d || (k != d && far[Zero + k - 1] < far[Zero + k + 1]) ? far[Zero + k + 1] : far[Zero + k - 1] + 1;
                while (x < a.Length && x - k < b.Length && x - k >= 0 && a[x] == b[x - k]) x++;
                far[Zero + k] = x;
                if (x < a.Length || x - k < b.Length) continue;
                reached.Add(far[(Zero - d)..(Zero + d + 1)]);
                return Back(reached, a.Length, b.Length);
            }
            reached.Add(far[(Zero - d)..(Zero + d + 1)]);
        }
        return null;
    }

    private static List<LineChange> Back(List<int[]> reached, int x, int y)
    {
        var changes = new List<LineChange>();
        for (var d = reached.Count - 1; d > 0; d--)
        {
            // The row before holds the diagonals -(d-1) to d-1.
            var before = reached[d - 1];
            int At(int k) => Math.Abs(k) <= d - 1 ? before[k + d - 1] : -1;
            var k = x - y;
            var isNew = k == -d || (k != d && At(k - 1) < At(k + 1));
            var from = isNew ? At(k + 1) : At(k - 1);
            var start = isNew ? from : from + 1;
            for (; x > start; x--, y--) changes.Add(LineChange.Same);
            changes.Add(isNew ? LineChange.New : LineChange.Gone);
            (x, y) = isNew ? (from, from - (k + 1)) : (from, from - (k - 1));
        }
        for (; x > 0; x--) changes.Add(LineChange.Same);
        changes.Reverse();
        return changes;
    }

    private static List<DiffHunk> Hunks(List<DiffLine> lines)
    {
        var hunks = new List<DiffHunk>();
        for (var i = 0; i < lines.Count; i++)
        {
            if (lines[i].Change == LineChange.Same) continue;
            var (from, last) = (Math.Max(0, i - Around), i);
            for (var next = i + 1; next < lines.Count && next <= last + 2 * Around; next++)
                if (lines[next].Change != LineChange.Same) last = next;
            var to = Math.Min(lines.Count, last + Around + 1);
            hunks.Add(new(lines[from..to]));
            i = to - 1;
        }
        return hunks;
    }
}
