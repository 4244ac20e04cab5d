using System.Text;
using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Parsing;

public sealed class FormatDetectorTests : IDisposable
{
    private readonly TempFiles _files = new();

    private Task<string> DetectAsync(string name, byte[] content, string? media = null) =>
        FormatDetector.DetectAsync(_files.Add(name, content, media), CancellationToken.None);

    [Theory]
    [InlineData("notes", "Just words.", null, "txt")]
    [InlineData("notes.md", "Just words.", null, "md")]
    [InlineData("notes.md", "<div align=center></div>\n\n# Readme", null, "md")]
    [InlineData("notes.md", "Just words.", "text/plain", "md")]
    [InlineData("data.csv", "a,b", "application/octet-stream", "csv")]
    [InlineData("page", "Just words.", "text/html; charset=utf-8", "html")]
    [InlineData("page.txt", "<!DOCTYPE html><p>x", null, "html")]
    [InlineData("page.csv", "\n <html><body>Error</body>", "text/csv", "html")]
    [InlineData("page.xml", "<?xml version='1.0'?><html xmlns='x'>", "text/xml", "html")]
    [InlineData("page", "<p>one</p><p>two</p>", null, "html")]
    [InlineData("x.json", "{}", null, "json")]
    public async Task Text_is_told_by_content_then_media_type_then_name(string name, string content, string? media, string format) =>
        (await DetectAsync(name, Encoding.UTF8.GetBytes(content), media)).ShouldBe(format);

    [Fact]
    public async Task Content_wins_over_every_name()
    {
        (await DetectAsync("a.txt", PdfSamples.Pages(["x"]), "text/plain")).ShouldBe("pdf");
        (await DetectAsync("a.pdf", OfficeSamples.Docx(OfficeSamples.P("x")), "application/pdf")).ShouldBe("docx");
    }

    [Fact]
    public async Task A_refusal_names_what_the_content_looks_like()
    {
        var error = await Should.ThrowAsync<IngestionException>(() => DetectAsync("a.txt", [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10]));
        error.Code.ShouldBe(ErrorCodes.Unsupported);
        error.Message.ShouldContain("PNG image");
    }

    [Fact]
    public async Task A_format_without_a_parser_is_unsupported_by_name()
    {
        await using var pool = TestPools.Create();
        var error = await Should.ThrowAsync<IngestionException>(() =>
            TestPools.Parsers(pool).ParseAsync(_files.Add("x.eml", "From: a\n\nb"), ParseLimits.Default, null, CancellationToken.None));
        error.Code.ShouldBe(ErrorCodes.Unsupported);
        error.Message.ShouldContain("eml");
    }

    [Theory]
    [InlineData("EncryptedPackage", "encrypted")]
    [InlineData("WordDocument", "unsupported")]
    public async Task An_OLE_container_is_a_password_or_old_Office(string stream, string code)
    {
        var bytes = new byte[8192];
        ((byte[])[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]).CopyTo(bytes, 0);
        Encoding.Unicode.GetBytes(stream).CopyTo(bytes, 4000);
        (await Should.ThrowAsync<IngestionException>(() => DetectAsync("a.docx", bytes))).Code.Code.ShouldBe(code);
    }

    [Fact]
    public async Task A_zip_cut_short_is_corrupt()
    {
        var whole = OfficeSamples.Docx(OfficeSamples.P("x"));
        (await Should.ThrowAsync<IngestionException>(() => DetectAsync("a.docx", whole[..(whole.Length / 2)]))).Code.ShouldBe(ErrorCodes.Corrupt);
    }

    [Fact]
    public async Task Zero_bytes_are_empty_whatever_their_name() =>
        (await Should.ThrowAsync<IngestionException>(() => DetectAsync("a.docx", []))).Code.ShouldBe(ErrorCodes.Empty);

    public void Dispose() => _files.Dispose();
}
