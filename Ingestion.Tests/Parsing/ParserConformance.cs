using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Parsing;

/// <summary>What every parser owes, whatever its format.</summary>
public abstract class ParserConformance : IDisposable
{
    protected TempFiles Files { get; } = new();

    protected abstract string Format { get; }

    /// <summary>A sound document that says “The quick brown fox” and “Größenwahn”.</summary>
    protected abstract byte[] Sample();

    /// <summary>A valid document of the format without any text.</summary>
    protected abstract byte[] Blank();

    protected IDocumentParser Create(ParseLimits? limits = null) => ParserRegistry.Find(Format)!.Create(limits ?? ParseLimits.Default);

    protected Task<ParsedDocument> ParseAsync(byte[] content, ParseLimits? limits = null) =>
        Create(limits).ParseAsync(Files.Add("sample." + Format, content), null, CancellationToken.None);

    [Fact]
    public void It_is_registered_under_its_own_name_and_has_a_version()
    {
        Create().Format.ShouldBe(Format);
        Create().Version.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_sample_gives_its_words_as_clean_Markdown()
    {
        var document = await ParseAsync(Sample());
        document.Markdown.ShouldContain("The quick brown fox");
        document.Markdown.ShouldContain("Größenwahn");
        document.Markdown.ShouldNotContain('\r');
        document.Markdown.ShouldNotContain('\0');
        document.Markdown.ShouldEndWith("\n");
        document.Markdown.IsNormalized().ShouldBeTrue();
    }

    [Fact]
    public async Task The_same_bytes_give_the_same_Markdown() =>
        (await ParseAsync(Sample())).Markdown.ShouldBe((await ParseAsync(Sample())).Markdown);

    [Fact]
    public async Task Its_content_is_recognised_without_a_telling_name()
    {
        if (Format is "md" or "csv") return;
        (await FormatDetector.DetectAsync(Files.Add("download", Sample()), CancellationToken.None)).ShouldBe(Format);
    }

    [Fact]
    public async Task Zero_bytes_are_empty()
    {
        var error = await Should.ThrowAsync<IngestionException>(() => ParseAsync([]));
        error.Code.ShouldBe(ErrorCodes.Empty);
        error.Message.ShouldContain("empty");
    }

    [Fact]
    public async Task A_document_without_text_is_no_text_and_never_an_empty_success()
    {
        var error = await Should.ThrowAsync<IngestionException>(() => ParseAsync(Blank()));
        error.Code.ShouldBe(ErrorCodes.NoText);
        error.Message.ShouldContain("no text");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Random_bytes_end_in_a_named_error(int seed)
    {
        var noise = new byte[20_000];
        new Random(seed).NextBytes(noise);
        var error = await Should.ThrowAsync<IngestionException>(() => ParseAsync(noise));
        error.Code.ShouldBeOneOf(ErrorCodes.Corrupt, ErrorCodes.Unsupported);
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.7)]
    public async Task A_truncated_document_gives_text_or_a_named_error(double share)
    {
        var sample = Sample();
        try
        {
            (await ParseAsync(sample[..(int)(sample.Length * share)])).Markdown.ShouldNotBeNullOrWhiteSpace();
        }
        catch (IngestionException e)
        {
            e.Code.ShouldBeOneOf(ErrorCodes.Corrupt, ErrorCodes.NoText);
        }
    }

    [Fact]
    public async Task More_text_than_allowed_is_a_limit()
    {
        var error = await Should.ThrowAsync<IngestionException>(() => ParseAsync(Sample(), ParseLimits.Default with { MaxCharacters = 10 }));
        error.Code.ShouldBe(ErrorCodes.LimitExceeded);
        error.Message.ShouldContain("limit");
    }

    [Fact]
    public async Task A_cancelled_parse_is_cancelled()
    {
        var raw = Files.Add("sample." + Format, Sample());
        await Should.ThrowAsync<OperationCanceledException>(() => Create().ParseAsync(raw, null, new CancellationToken(canceled: true)));
    }

    [Fact]
    public async Task A_missing_file_says_so()
    {
        var error = await Should.ThrowAsync<IngestionException>(() => Create().ParseAsync(new RawDocument("/nowhere/at/all", "lost"), null, CancellationToken.None));
        error.Code.ShouldBe(ErrorCodes.MissingFile);
    }

    public void Dispose()
    {
        Files.Dispose();
        GC.SuppressFinalize(this);
    }
}
