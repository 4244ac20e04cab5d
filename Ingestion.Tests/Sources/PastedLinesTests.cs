using Ingestion.Core.Sources;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

public sealed class PastedLinesTests
{
    private static readonly UrlRules Rules = new(AllowedTargets.None, [80, 443]);

    [Fact]
    public void Every_line_with_text_is_kept_in_order_as_written()
    {
        var pasted = PastedLines.Read("\uFEFF https://a.example/1 \r\n\r\n\thttps://a.example/2\nnonsense\n", Rules);
        pasted.Entries.Select(e => e.Url).ShouldBe(["https://a.example/1", "https://a.example/2", "nonsense"]);
        pasted.Summary.Count.ShouldBe(3);
    }

    [Fact]
    public void Repeated_line_names_the_first_of_its_kind()
    {
        var sum = PastedLines.Read("https://a.example/\n\nhttps://b.example/\nhttps://a.example/", Rules).Summary;
        sum.Repeats.ShouldBe(1);
        sum.Repeated.ShouldBe([new PastedLine(4, "https://a.example/", "the same as line 1")]);
        sum.Refusals.ShouldBe(0);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://127.0.0.1:5432/")]
    [InlineData("example.org/page")]
    [InlineData("http://user:secret@a.example/")]
    public void Line_that_will_be_refused_is_kept_and_says_why(string line)
    {
        var pasted = PastedLines.Read($"https://a.example/\n{line}", Rules);
        pasted.Entries.Count.ShouldBe(2);
        var refused = pasted.Summary.Refused.ShouldHaveSingleItem();
        refused.Number.ShouldBe(2);
        refused.Why.ShouldEndWith(".");
    }

    [Fact]
    public void Of_many_the_first_are_named_and_all_are_counted()
    {
        var sum = PastedLines.Read(string.Join('\n', Enumerable.Range(0, 5_000).Select(i => $"ftp://a.example/{i}")), Rules).Summary;
        sum.Refusals.ShouldBe(5_000);
        sum.Refused.Count.ShouldBe(PastedLines.Named);
    }

    [Fact]
    public void Long_line_is_shown_short()
    {
        var sum = PastedLines.Read("ftp://" + new string('x', 10_000), Rules).Summary;
        sum.Refused.Single().Text.Length.ShouldBeLessThan(200);
    }
}
