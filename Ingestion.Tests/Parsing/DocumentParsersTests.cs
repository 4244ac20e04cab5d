using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Parsing;

public sealed class DocumentParsersTests : IAsyncDisposable
{
    private readonly TempFiles _files = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddLogging().AddParsing(o => { o.Workers = 1; o.Command = WorkerProcess.Command; }).BuildServiceProvider();

    private DocumentParsers Parsers => _services.GetRequiredService<DocumentParsers>();

    private Task<(ParsedDocument Document, string Format, int ParserVersion)> ParseAsync(RawDocument raw, ParseLimits? limits = null, CancellationToken ct = default) =>
        Parsers.ParseAsync(raw, limits ?? ParseLimits.Default, null, ct);

    [Fact]
    public async Task Every_format_comes_out_with_its_name_and_version()
    {
        (RawDocument Raw, string Format)[] samples =
        [
            (_files.Add("a.txt", "A fox."), "txt"), (_files.Add("a.md", "A fox."), "md"), (_files.Add("a.csv", "animal,n\nfox,1"), "csv"),
            (_files.Add("a.html", "<p>A fox."), "html"), (_files.Add("a", OfficeSamples.Docx(OfficeSamples.P("A fox."))), "docx"), (_files.Add("a", PdfSamples.Pages(["A fox."])), "pdf"),
        ];
        samples.Select(s => s.Format).ShouldBe(ParserRegistry.All.Select(e => e.Format), ignoreOrder: true);
        foreach (var (raw, expected) in samples)
        {
            var (document, format, version) = await ParseAsync(raw);
            format.ShouldBe(expected);
            version.ShouldBeGreaterThan(0);
            document.Markdown.ShouldContain("fox");
        }
    }

    [Fact]
    public async Task A_document_keeps_all_its_parts_on_the_way_through_a_worker()
    {
        var (document, _, _) = await ParseAsync(_files.Add("a.html", "<title>“Ä” \u2028 😀</title><p><a href=/x>to \"x\"</a></p>", url: new Uri("https://a.example/y")));
        document.Title.ShouldBe("“Ä” 😀");
        document.Markdown.ShouldBe("[to \"x\"](https://a.example/x)\n");
        document.Links.ShouldBe([new ParsedLink("https://a.example/x", "to \"x\"")]);
        document.Pages.ShouldBeNull();
    }

    [Theory]
    [InlineData("a.txt", "some text")]
    [InlineData("a.html", "<p>some text")]
    public async Task More_text_than_allowed_is_a_limit_wherever_it_is_read(string name, string content) =>
        (await Should.ThrowAsync<IngestionException>(() => ParseAsync(_files.Add(name, content), ParseLimits.Default with { MaxCharacters = 5 }))).Code.ShouldBe(ErrorCodes.LimitExceeded);

    [Fact]
    public async Task A_cancelled_call_parses_nothing() =>
        await Should.ThrowAsync<OperationCanceledException>(() => ParseAsync(_files.Add("a.txt", "text"), ct: new CancellationToken(canceled: true)));

    [Fact]
    public async Task A_progress_callback_that_throws_costs_its_document_and_no_other()
    {
        await Should.ThrowAsync<InvalidOperationException>(() =>
            Parsers.ParseAsync(_files.Add("a.html", "<p>one"), ParseLimits.Default, (_, _, _) => throw new InvalidOperationException("listener"), CancellationToken.None));
        (await ParseAsync(_files.Add("a.html", "<p>two"))).Document.Markdown.ShouldBe("two\n");
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        _files.Dispose();
    }
}
