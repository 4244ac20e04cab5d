using Ingestion.Core.Rendering;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Rendering;

public sealed class LineDiffTests
{
    [Fact]
    public void Changed_lines_come_with_three_lines_around_them()
    {
        var before = string.Join('\n', Enumerable.Range(1, 30).Select(i => $"line {i}"));
        var hunks = LineDiff.Of(before, before.Replace("line 4\n", "", StringComparison.Ordinal).Replace("line 20\n", "line 20\nnew\n", StringComparison.Ordinal))!;
        hunks.Count.ShouldBe(2);
        hunks[0].Lines.Select(l => (l.Change, l.Before, l.After)).ShouldBe([
            (LineChange.Same, 1, 1), (LineChange.Same, 2, 2), (LineChange.Same, 3, 3), (LineChange.Gone, 4, null), (LineChange.Same, 5, 4), (LineChange.Same, 6, 5), (LineChange.Same, 7, 6)]);
        hunks[1].Lines.Single(l => l.Change == LineChange.New).ShouldBe(new(LineChange.New, "new", null, 20));
        LineDiff.Of(before, before).ShouldBe([]);
    }

    [Fact]
    public void Texts_that_have_little_in_common_are_not_told_line_by_line() =>
        LineDiff.Of(string.Join('\n', Enumerable.Range(0, 2000)), string.Join('\n', Enumerable.Range(5000, 2000))).ShouldBeNull();

    [Fact]
    public void It_is_always_the_shortest_way_from_one_to_the_other()
    {
        var random = new Random(11);
        for (var round = 0; round < 400; round++)
        {
            string[] Some() => [.. Enumerable.Range(0, random.Next(0, 14)).Select(_ => ((char)('a' + random.Next(4))).ToString())];
            var (a, b) = (Some(), Some());
            var lines = LineDiff.Of(string.Join('\n', a), string.Join('\n', b))!.SelectMany(h => h.Lines).ToList();
            var changes = lines.Count(l => l.Change != LineChange.Same);
            changes.ShouldBe(a.Length + b.Length - 2 * Common(a, b));
            lines.Where(l => l.Change == LineChange.Gone).ShouldAllBe(l => a[l.Before!.Value - 1] == l.Text);
            lines.Where(l => l.Change == LineChange.New).ShouldAllBe(l => b[l.After!.Value - 1] == l.Text);
            lines.Where(l => l.Change == LineChange.Same).ShouldAllBe(l => a[l.Before!.Value - 1] == l.Text && b[l.After!.Value - 1] == l.Text);
        }
    }

    // The longest common subsequence, as textbooks have it.
    private static int Common(string[] a, string[] b)
    {
        var longest = new int[a.Length + 1, b.Length + 1];
        for (var i = 1; i <= a.Length; i++)
            for (var j = 1; j <= b.Length; j++)
                longest[i, j] = a[i - 1] == b[j - 1] ? longest[i - 1, j - 1] + 1 : Math.Max(longest[i - 1, j], longest[i, j - 1]);
        return longest[a.Length, b.Length];
    }
}
