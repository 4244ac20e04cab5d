using System.Text;
using Ingestion.Core.Parsing;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Parsing;

public sealed class TextParserTests : ParserConformance
{
    static TextParserTests() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    protected override string Format => "txt";

    protected override byte[] Sample() => "The quick brown fox\r\n\r\njumps over Größenwahn.\r\n"u8.ToArray();

    protected override byte[] Blank() => " \n\t\n  \n"u8.ToArray();

    [Theory]
    [InlineData("utf-8", "naïve café – “quotes”")]
    [InlineData("utf-16", "naïve café – “quotes”")]
    [InlineData("utf-16BE", "naïve café – “quotes”")]
    [InlineData("windows-1252", "Der Größenwahn für naïve Leute – ein “Märchen” aus Köln")]
    [InlineData("shift_jis", "日本語の文章です。これはテストのための短い文です。")]
    [InlineData("euc-jp", "日本語の文章です。これはテストのための短い文です。")]
    [InlineData("gb18030", "这是一个用来测试的中文句子，我们需要它足够长。")]
    [InlineData("euc-kr", "이것은 시험을 위한 한국어 문장입니다. 충분히 길어야 합니다.")]
    [InlineData("windows-1251", "Это предложение на русском языке для проверки кодировки.")]
    public async Task Character_sets_are_told_apart_without_being_declared(string charset, string text) =>
        (await ParseAsync(Encoding.GetEncoding(charset).GetBytes(text))).Markdown.ShouldBe(text + "\n");

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-16")]
    [InlineData("utf-32")]
    public async Task A_byte_order_mark_decides_and_disappears(string charset)
    {
        var encoding = Encoding.GetEncoding(charset);
        (await ParseAsync([.. encoding.GetPreamble(), .. encoding.GetBytes("Größe")])).Markdown.ShouldBe("Größe\n");
    }

    [Fact]
    public async Task A_declared_set_is_used_where_the_bytes_are_not_UTF8()
    {
        var raw = Files.Add("a.txt", Encoding.GetEncoding("iso-8859-2").GetBytes("Příliš žluťoučký kůň"), charset: "ISO-8859-2");
        (await Create().ParseAsync(raw, null, CancellationToken.None)).Markdown.ShouldBe("Příliš žluťoučký kůň\n");
    }

    [Fact]
    public async Task A_zero_character_is_replaced_and_noted()
    {
        var document = await ParseAsync("Hello\0world"u8.ToArray());
        document.Markdown.ShouldBe("Hello\uFFFDworld\n");
        document.Notes.ShouldHaveSingleItem().ShouldContain("U+0000");
    }

    [Fact]
    public async Task What_would_become_a_heading_by_accident_is_escaped_and_nothing_else() =>
        (await ParseAsync("# comment\n#!/bin/sh\n* star_case <tag> [x]\n"u8.ToArray())).Markdown.ShouldBe("\\# comment\n#!/bin/sh\n* star_case <tag> [x]\n");

    [Fact]
    public async Task A_long_run_of_combining_marks_takes_no_time()
    {
        var marks = string.Concat(Enumerable.Repeat("\u0316\u0301", 500_000));
        (await ParseAsync(Encoding.UTF8.GetBytes("a" + marks)).WaitAsync(TimeSpan.FromSeconds(20))).Markdown.Length.ShouldBeGreaterThan(900_000);
    }
}
