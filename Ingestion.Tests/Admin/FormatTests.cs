using Ingestion.Admin.Components.Parts;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class FormatTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(1024 * 1024 - 1, "1 MiB")]
    [InlineData(123_456_789, "118 MiB")]
    [InlineData(long.MaxValue, "8192 PiB")]
    public void Bytes(long bytes, string text) => Format.Bytes(bytes).ShouldBe(text);

    [Theory]
    [InlineData(0, "0 ms")]
    [InlineData(0.85, "850 ms")]
    [InlineData(2.34, "2.3 s")]
    [InlineData(12.4, "12 s")]
    [InlineData(59.7, "1 m")]
    [InlineData(192, "3 m 12 s")]
    [InlineData(7500, "2 h 5 m")]
    [InlineData(273_600, "3 d 4 h")]
    [InlineData(-5, "0 ms")]
    public void Duration(double seconds, string text) => Format.Duration(TimeSpan.FromSeconds(seconds)).ShouldBe(text);

    [Theory]
    [InlineData(0.925, "92.5%")]
    [InlineData(0.9999, "99.9%")]
    [InlineData(0.00001, "0.1%")]
    [InlineData(1, "100%")]
    [InlineData(double.NaN, "0%")]
    public void Percent(double share, string text) => Format.Percent(share).ShouldBe(text);

    [Theory]
    [InlineData(-2, "just now")]
    [InlineData(-60, "1 minute ago")]
    [InlineData(-7200, "2 hours ago")]
    [InlineData(300, "in 5 minutes")]
    [InlineData(-86400 * 40, "20 Jan 2026")]
    public void Relative(int seconds, string text) => Format.Relative(Now.AddSeconds(seconds), Now).ShouldBe(text);

    [Fact]
    public void Counts_are_separated_and_agree_with_their_noun()
    {
        Format.Count(1_240).ShouldBe("1,240");
        Format.Count(1, "file").ShouldBe("1 file");
        Format.Count(2, "entry", "entries").ShouldBe("2 entries");
    }
}
