using System.IO.Compression;
using System.Net;
using System.Text.Json;
using System.Xml.Linq;
using Ingestion.Admin.Api.Reviewing;
using Ingestion.Tests.Admin.Families;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Reviewing;

/// <summary>Reviews written out for people and programs, and decisions that come back.</summary>
public sealed class ReviewFilesTests(ReviewApp app) : IClassFixture<ReviewApp>
{
    private const string Root = "/api/v1/review";
    private static readonly XNamespace Main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";

    [Fact]
    public async Task A_filter_is_exported_in_four_forms_and_no_cell_is_a_formula()
    {
        var (batch, _, reviews) = await app.BatchAsync(3);
        await app.Database.Worker.QueryAsync<object>("UPDATE ingestion.import_item SET name = '=HYPERLINK(\"http://evil\")' WHERE id = (SELECT item_id FROM ingestion.review_item WHERE id = $1)", reviews[0]);
        await app.SendAsync("POST", $"{Root}/{reviews[0]}/decide", """{"action":"reject","version":1,"reason":"@SUM(1)"}""");
        var query = $"{Root}/export?batch={batch}&state=any&format=";

        var lines = (await app.Client.GetStringAsync(query + "csv")).TrimStart('\uFEFF').Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        lines[0].ShouldStartWith("review_id,version,decision,reason,stage,pick.raga,name,collection");
        lines.Length.ShouldBe(4);
        lines[1].ShouldStartWith($"{reviews[0]},2,,,,,\"'=HYPERLINK(\"\"http://evil\"\")\",default,{batch}");
        lines[1].ShouldContain(",\"'@SUM(1)\",");
        lines[1].ShouldContain("reject by administrator: @SUM(1)");

        var rows = JsonSerializer.Deserialize<JsonElement>(await app.Client.GetStringAsync(query + "json")).EnumerateArray().ToList();
        rows.Select(r => r.GetProperty("id").GetInt64()).ShouldBe(reviews);
        rows[0].GetProperty("decisions")[0].Said("reason").ShouldBe("@SUM(1)");
        rows[0].GetProperty("provenance").Said("source_type").ShouldBe("url");
        rows[0].GetProperty("fields")[0].GetProperty("found").Said("source").ShouldBe("column Raga");
        var jsonl = (await app.Client.GetStringAsync(query + "jsonl&fields=none")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        jsonl.Length.ShouldBe(3);
        JsonSerializer.Deserialize<JsonElement>(jsonl[1]).GetProperty("fields").GetArrayLength().ShouldBe(0);

        using var zip = new ZipArchive(new MemoryStream(await app.Client.GetByteArrayAsync(query + "xlsx")));
        var sheet = XDocument.Load(zip.GetEntry("xl/worksheets/sheet1.xml")!.Open());
        sheet.Descendants(Main + "f").ShouldBeEmpty();
        var cells = sheet.Descendants(Main + "row").Select(r => r.Elements(Main + "c").Select(c => c.Value).ToList()).ToList();
        cells.Count.ShouldBe(4);
        cells[1][6].ShouldBe("=HYPERLINK(\"http://evil\")");
        (await app.SendAsync("GET", query + "pdf", "", HttpStatusCode.BadRequest)).Said("detail")!.ShouldContain("format");
    }

    [Fact]
    public async Task A_workbook_opens_in_other_hands_and_goes_on_where_a_sheet_is_full()
    {
        using var file = new MemoryStream();
        await Workbook.WriteAsync(file, ["a", "b"], Rows(), CancellationToken.None, rowsOfSheet: 3);
        file.Position = 0;
        using var opened = DocumentFormat.OpenXml.Packaging.SpreadsheetDocument.Open(file, false);
        var sheets = opened.WorkbookPart!.WorksheetParts.ToList();
        sheets.Count.ShouldBe(2);
        sheets.Sum(s => s.Worksheet.Descendants<DocumentFormat.OpenXml.Spreadsheet.Row>().Count()).ShouldBe(5);
        sheets.SelectMany(s => s.Worksheet.Descendants<DocumentFormat.OpenXml.Spreadsheet.Text>()).Select(t => t.Text).ShouldContain("bell\uFFFD and 🎵");

        static async IAsyncEnumerable<IEnumerable<string?>> Rows()
        {
            foreach (var text in new[] { "one", "bell\u0007 and 🎵", new string('x', 40_000) })
            {
                await Task.Yield();
                yield return [text, null];
            }
        }
    }

    [Fact]
    public async Task Decisions_come_back_row_by_row_and_a_table_sent_twice_decides_nothing_twice()
    {
        await app.SendAsync("PUT", $"{Root}/collections/default/lists/raga", """{"entities":[{"key":"kalyani","name":"Kalyāni"}]}""");
        var (batch, _, r) = await app.BatchAsync(6);
        // Somebody else was quicker with the fifth.
        await app.SendAsync("POST", $"{Root}/{r[4]}/decide", """{"action":"reject","version":1,"reason":"Mine."}""");
        var table = string.Join("\r\n",
            "review_id;version;decision;reason;stage;pick.raga;name",
            $"{r[0]};1;approve;;;kalyani;",
            $"{r[1]};1;reject;\"Not a song; a list.\";;;",
            $"{r[2]};1;reject;;;;",
            $"{r[3]};1;pick;;;nobody;",
            $"{r[4]};1;approve;;;;",
            $"{r[5]};1;;;;;untouched",
            "999999999;1;approve;;;;",
            $"{r[0]};1;reject;twice;;;");

        var dry = await app.SendAsync("POST", $"{Root}/import", table, mediaType: "text/csv");
        (dry.GetProperty("dry_run").GetBoolean(), dry.Count("decided"), dry.Count("conflicts"), dry.Count("refused"), dry.Count("blank")).ShouldBe((true, 2, 1, 4, 1));
        var outcomes = dry.GetProperty("results").EnumerateArray().Select(x => (x.Count("line"), x.Said("outcome"))).ToList();
        outcomes.ShouldBe([(2, "decided"), (3, "decided"), (4, "invalid"), (5, "refused"), (6, "conflict"), (8, "unknown"), (9, "invalid")]);
        (await app.GetAsync($"{Root}?batch={batch}")).Count("total").ShouldBe(5);
        (await Ingestion.Tests.Review.Rows.ProblemsAsync(app.Database.Worker)).ShouldBeEmpty();

        var real = await app.SendAsync("POST", $"{Root}/import?dry_run=false", table, mediaType: "text/csv");
        real.GetProperty("results").EnumerateArray().Select(x => (x.Count("line"), x.Said("outcome"))).ShouldBe(outcomes);
        var approved = await app.GetAsync($"{Root}/{r[0]}");
        (approved.Said("state"), approved.Count("version"), approved.GetProperty("fields")[0].Said("entity"), approved.GetProperty("decisions").GetArrayLength()).ShouldBe(("approved", 3, "kalyani", 2));
        (await app.GetAsync($"{Root}/{r[1]}")).Said("decision_reason").ShouldBe("Not a song; a list.");

        var again = await app.SendAsync("POST", $"{Root}/import?dry_run=false", table, mediaType: "text/csv");
        (again.Count("decided"), again.Count("already"), again.Count("conflicts")).ShouldBe((0, 2, 1));
        (await app.GetAsync($"{Root}/{r[0]}")).Count("version").ShouldBe(3);
        (await Ingestion.Tests.Review.Rows.ProblemsAsync(app.Database.Worker)).ShouldBeEmpty();
        (await app.SendAsync("POST", $"{Root}/import", "id,verdict\n1,yes\n", HttpStatusCode.BadRequest, "text/csv")).Said("detail")!.ShouldContain("review_id");
    }

    [Fact]
    public async Task An_exported_table_comes_back_as_it_went()
    {
        var (batch, _, r) = await app.BatchAsync(2);
        var lines = (await app.Client.GetStringAsync($"{Root}/export?batch={batch}")).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        lines[1] = lines[1].Replace($"{r[0]},1,,", $"{r[0]},1,approve,", StringComparison.Ordinal);
        var report = await app.SendAsync("POST", $"{Root}/import?dry_run=false", string.Join("\r\n", lines), mediaType: "text/csv");
        (report.Count("decided"), report.Count("blank"), report.Count("refused")).ShouldBe((1, 1, 0));
        (await app.GetAsync($"{Root}?batch={batch}&state=approved")).Count("total").ShouldBe(1);
    }
}
