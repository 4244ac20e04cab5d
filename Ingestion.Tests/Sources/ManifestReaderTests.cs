using System.Text;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

public sealed class ManifestReaderTests
{
    private const string Krithi = "Krithi,Raga,Hyperlink\nabhayAmbA,kalyANi,http://a.example/1\nakhilANDESvari,jujAvanti,http://a.example/2\n";

    static ManifestReaderTests() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    [Fact]
    public async Task Krithi_header_is_known()
    {
        var preview = await PreviewAsync(Krithi);
        var rows = await ReadAsync(Krithi);

        preview.Mapping.ShouldBe(new ManifestMapping("Hyperlink", "Krithi"));
        rows.Select(r => (r.RowNumber, r.Line, r.Url, r.Title)).ShouldBe(
        [
            (1, 2, "http://a.example/1", "abhayAmbA"),
            (2, 3, "http://a.example/2", "akhilANDESvari"),
        ]);
        rows[0].Metadata.ShouldBe(new Dictionary<string, string> { ["Raga"] = "kalyANi" });
    }

    [Fact]
    public async Task Preview_shows_what_was_found()
    {
        var preview = await PreviewAsync(Krithi);

        preview.Delimiter.ShouldBe(',');
        preview.Encoding.ShouldBe("utf-8");
        preview.HasHeader.ShouldBeTrue();
        preview.Columns.ShouldBe(["Krithi", "Raga", "Hyperlink"]);
        preview.Rows.Count.ShouldBe(2);
        preview.Rows[1].ShouldBe(["akhilANDESvari", "jujAvanti", "http://a.example/2"]);
        preview.EstimatedRows.ShouldBe(2);
    }

    [Theory]
    [InlineData(',')]
    [InlineData(';')]
    [InlineData('\t')]
    [InlineData('|')]
    public async Task Delimiter_is_found(char delimiter)
    {
        var text = "Title,Note,Url\nA,one,http://a.example/?x=1\nB,two,http://a.example/?x=2\n".Replace(',', delimiter);

        (await PreviewAsync(text)).Delimiter.ShouldBe(delimiter);
        (await ReadAsync(text)).Select(r => r.Url).ShouldBe(["http://a.example/?x=1", "http://a.example/?x=2"]);
    }

    [Fact]
    public async Task Delimiter_is_found_among_cells_full_of_commas()
    {
        var rows = await ReadAsync("Title;Url\nA, B, C;http://a.example/?a=1,2\nD, E, F;http://a.example/?a=3,4\n");

        rows.Select(r => (r.Title, r.Url)).ShouldBe([("A, B, C", "http://a.example/?a=1,2"), ("D, E, F", "http://a.example/?a=3,4")]);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public async Task Line_ends_of_every_kind_are_read(string end)
    {
        var rows = await ReadAsync(string.Join(end, "Title,Url", "A,http://a.example/1", "\"B" + end + "b\",http://a.example/2", "C,http://a.example/3"));

        rows.Select(r => (r.Line, r.Url)).ShouldBe([(2, "http://a.example/1"), (3, "http://a.example/2"), (5, "http://a.example/3")]);
        rows[1].Title.ShouldBe($"B{end}b");
    }

    [Theory]
    [InlineData("utf-8", true, "utf-8")]
    [InlineData("utf-8", false, "utf-8")]
    [InlineData("utf-16", true, "utf-16")]
    [InlineData("utf-16", false, "utf-16")]
    [InlineData("utf-16BE", true, "utf-16be")]
    [InlineData("utf-16BE", false, "utf-16be")]
    [InlineData("utf-32", true, "utf-32")]
    [InlineData("windows-1252", false, "windows-1252")]
    public async Task Encoding_is_found(string name, bool mark, string found)
    {
        var encoding = Encoding.GetEncoding(name);
        var bytes = encoding.GetBytes("Title,Url\nCafé “Zürich” €,http://a.example/1\n");
        using var stream = new MemoryStream([.. mark ? encoding.GetPreamble() : [], .. bytes]);

        var preview = await ManifestReader.PreviewAsync(stream, CancellationToken.None);

        preview.Encoding.ShouldBe(found);
        preview.Columns.ShouldBe(["Title", "Url"]);
        preview.Rows[0][0].ShouldBe("Café “Zürich” €");
    }

    [Fact]
    public async Task Accent_that_comes_late_is_read_in_the_encoding_it_is_in()
    {
        var text = new StringBuilder("Title,Url\n");
        for (var i = 0; i < 5_000; i++)
            text.Append(i).Append(",http://a.example/").Append(i).Append('\n');
        text.Append("Café,http://a.example/last\n");
        using var stream = new MemoryStream(Encoding.GetEncoding(1252).GetBytes(text.ToString()));

        (await ManifestReader.ReadAsync(stream).LastAsync()).Title.ShouldBe("Café");
    }

    [Fact]
    public async Task Character_on_the_border_of_the_sample_does_not_change_the_encoding()
    {
        for (var shift = 0; shift < 4; shift++)
        {
            var head = "Title,Url\n" + new string('x', 65_536 - 10 - 1 - shift);
            (await PreviewAsync(head + "𝄞𝄞,http://a.example/1\n")).Encoding.ShouldBe("utf-8");
        }
    }

    [Theory]
    [InlineData("\"a,b\",http://a.example/1", "a,b")]
    [InlineData("\"say \"\"hi\"\"\",http://a.example/1", "say \"hi\"")]
    [InlineData("5\" disk,http://a.example/1", "5\" disk")]
    [InlineData("\"\",http://a.example/1", null)]
    [InlineData("  padded  ,  http://a.example/1  ", "padded")]
    [InlineData("=cmd|' /C calc'!A0,http://a.example/1", "=cmd|' /C calc'!A0")]
    public async Task Cell_is_read_as_it_was_meant(string line, string? title)
    {
        var row = (await ReadAsync($"Title,Url\n{line}\n")).ShouldHaveSingleItem();

        row.Title.ShouldBe(title);
        row.Url.ShouldBe("http://a.example/1");
    }

    [Fact]
    public async Task Quote_left_open_at_line_1000_is_named()
    {
        var lines = Enumerable.Range(1, 1_500).Select(i => i == 999 ? "\"open,http://a.example/" : $"title {i},http://a.example/{i}");

        var failure = await FailAsync("Title,Url\n" + string.Join('\n', lines));

        failure.Code.ShouldBe(ErrorCodes.InvalidManifest);
        failure.Message.ShouldContain("Line 1000");
    }

    [Fact]
    public async Task Quote_left_open_and_met_by_a_later_one_is_named()
    {
        var lines = Enumerable.Range(1, 1_500).Select(i => i == 999 ? "\"open,http://a.example/" : $"\"title {i}\",http://a.example/{i}");

        (await FailAsync("Title,Url\n" + string.Join('\n', lines))).Message.ShouldContain("Line 1000");
    }

    [Fact]
    public async Task One_line_of_many_megabytes_is_refused_without_being_held()
    {
        var failure = await FailAsync("Title,Url\nA,http://a.example/1\n" + new string('x', 20_000_000));

        failure.Code.ShouldBe(ErrorCodes.InvalidManifest);
        failure.Message.ShouldContain("Line 3");
    }

    [Fact]
    public async Task Blank_rows_are_skipped_and_counted()
    {
        const string text = "\n\nTitle,Url\n\nA,http://a.example/1\n,,\n  , \n\nB,http://a.example/2\n\n";

        (await ReadAsync(text)).Select(r => (r.RowNumber, r.Line)).ShouldBe([(1, 5), (2, 9)]);
        var count = await ManifestReader.CountRowsAsync(Stream(text), CancellationToken.None);
        count.Rows.ShouldBe(2);
        count.BlankRows.ShouldBe(7);
    }

    [Fact]
    public async Task Rows_without_a_usable_address_are_not_lost()
    {
        var rows = await ReadAsync("Title,Url\nA,\nB,not an address\nC,http://127.0.0.1/\nD\nE,http://a.example/1\n");

        rows.Select(r => r.Url).ShouldBe(["", "not an address", "http://127.0.0.1/", "", "http://a.example/1"]);
    }

    [Fact]
    public async Task Two_rows_with_one_address_stay_two()
    {
        var rows = await ReadAsync("Title,Url\nA,http://a.example/1\nB,http://a.example/1\n");

        rows.Select(r => r.RowNumber).ShouldBe([1, 2]);
    }

    [Fact]
    public async Task Repeated_and_nameless_columns_get_names_of_their_own()
    {
        const string text = "Url,Note,note,,Note\nhttp://a.example/1,a,b,c,d,e\n";

        (await PreviewAsync(text)).Columns.ShouldBe(["Url", "Note", "note (2)", "Column 4", "Note (3)"]);
        (await ReadAsync(text))[0].Metadata.ShouldBe(new Dictionary<string, string>
        {
            ["Note"] = "a",
            ["note (2)"] = "b",
            ["Column 4"] = "c",
            ["Note (3)"] = "d",
            ["Column 6"] = "e",
        });
    }

    [Theory]
    [InlineData("Hyperlink")]
    [InlineData("URL")]
    [InlineData(" url ")]
    [InlineData("Link")]
    [InlineData("href")]
    [InlineData("Address")]
    [InlineData("URI")]
    [InlineData("source_url")]
    [InlineData("Page Link")]
    [InlineData("Fundstelle")]
    public async Task Address_column_is_guessed(string name)
    {
        var preview = await PreviewAsync($"Name,{name}\nA,http://a.example/1\n");

        preview.Mapping.ShouldBe(new ManifestMapping(name.Trim(), "Name"));
    }

    [Fact]
    public async Task Content_counts_for_more_than_a_name()
    {
        var preview = await PreviewAsync("Title,Address,Page\nA,1 Main Street,http://a.example/1\nB,2 Main Street,http://a.example/2\n");

        preview.Mapping.ShouldBe(new ManifestMapping("Page", "Title"));
    }

    [Fact]
    public async Task File_without_header_is_read_from_its_first_row()
    {
        const string text = "A,http://a.example/1\nB,http://a.example/2\n";

        var preview = await PreviewAsync(text);

        preview.HasHeader.ShouldBeFalse();
        preview.Columns.ShouldBe(["Column 1", "Column 2"]);
        (await ReadAsync(text)).Select(r => (r.Line, r.Url)).ShouldBe([(1, "http://a.example/1"), (2, "http://a.example/2")]);
    }

    [Theory]
    [InlineData("url\nhttp://a.example/?x=1,2\nhttp://a.example/?x=3;4|5\n")]
    [InlineData("http://a.example/1\nhttp://a.example/?x=1,2\nhttp://a.example/?x=3;4|5\n")]
    [InlineData("\uFEFF\r\nurl\r\nhttp://a.example/?x=1,2\r\nhttp://a.example/?x=3;4|5\r\n")]
    public async Task Plain_list_of_addresses_is_not_parted(string text)
    {
        var rows = await ReadAsync(text);

        rows.TakeLast(2).Select(r => r.Url).ShouldBe(["http://a.example/?x=1,2", "http://a.example/?x=3;4|5"]);
        rows.ShouldAllBe(r => r.Metadata.Count == 0);
        (await PreviewAsync(text)).Delimiter.ShouldBe(',');
    }

    [Fact]
    public async Task Given_mapping_decides()
    {
        var rows = await ReadAsync("A,B,C\nhttp://a.example/1,http://a.example/2,t\n", new ManifestMapping("b", "c"));

        rows[0].Url.ShouldBe("http://a.example/2");
        rows[0].Title.ShouldBe("t");
        rows[0].Metadata.ShouldBe(new Dictionary<string, string> { ["A"] = "http://a.example/1" });
    }

    [Fact]
    public async Task Missing_address_column_is_said_with_those_that_were_found()
    {
        (await PreviewAsync("Name,Raga\nA,b\n")).Mapping.ShouldBeNull();

        (await FailAsync("Name,Raga\nA,b\n")).Message.ShouldBe("No column holds addresses. Columns found: Name, Raga.");
        var failure = await Should.ThrowAsync<IngestionException>(() => ReadAsync(Krithi, new ManifestMapping("Web")));
        failure.Code.ShouldBe(ErrorCodes.InvalidManifest);
        failure.Message.ShouldBe("There is no column 'Web'. Columns found: Krithi, Raga, Hyperlink.");
    }

    [Fact]
    public async Task Header_alone_is_a_manifest_without_rows()
    {
        (await ReadAsync("Krithi,Raga,Hyperlink\n")).ShouldBeEmpty();
        (await ManifestReader.CountRowsAsync(Stream("Krithi,Raga,Hyperlink"), CancellationToken.None)).ShouldBe(new ManifestCount(0, 0));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n\n")]
    public async Task Empty_file_is_refused(string text) =>
        (await FailAsync(text)).Message.ShouldBe("The file is empty.");

    [Theory]
    [InlineData("PK\u0003\u0004\u0014\0\0\0\b\0")]
    [InlineData("\u007fELF\u0002\u0001\u0001\0\0\0")]
    public async Task Binary_file_is_refused(string text)
    {
        var failure = await FailAsync(text);

        failure.Code.ShouldBe(ErrorCodes.InvalidManifest);
        failure.Message.ShouldContain("binary");
    }

    [Fact]
    public async Task Zero_character_further_on_becomes_visible()
    {
        var text = "Title,Url\n" + string.Concat(Enumerable.Repeat("A,http://a.example/1\n", 4_000)) + "B\0b,http://a.example/2\n";

        (await ReadAsync(text))[^1].Title.ShouldBe("B\uFFFDb");
    }

    [Fact]
    public async Task Stream_is_left_open_and_need_not_seek()
    {
        using var inner = Stream(Krithi);
        await using var forward = new System.IO.Compression.BrotliStream(Compressed(Krithi), System.IO.Compression.CompressionMode.Decompress);

        (await ManifestReader.CountRowsAsync(inner, CancellationToken.None)).Rows.ShouldBe(2);
        inner.CanRead.ShouldBeTrue();
        (await ManifestReader.PreviewAsync(forward, CancellationToken.None)).EstimatedRows.ShouldBe(2);
    }

    private static MemoryStream Stream(string text) => new(Encoding.UTF8.GetBytes(text));

    private static MemoryStream Compressed(string text)
    {
        var stream = new MemoryStream();
        using (var brotli = new System.IO.Compression.BrotliStream(stream, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            brotli.Write(Encoding.UTF8.GetBytes(text));
        stream.Position = 0;
        return stream;
    }

    private static Task<ManifestPreview> PreviewAsync(string text) => ManifestReader.PreviewAsync(Stream(text), CancellationToken.None);

    private static async Task<List<ManifestRow>> ReadAsync(string text, ManifestMapping? mapping = null) =>
        await ManifestReader.ReadAsync(Stream(text), mapping).ToListAsync();

    private static Task<IngestionException> FailAsync(string text) => Should.ThrowAsync<IngestionException>(() => ReadAsync(text));
}
