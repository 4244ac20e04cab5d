using System.Text;
using Bunit;
using Ingestion.Admin.Components.Pages.NewBatch;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.NewBatch;

public sealed class ManifestCardTests : ComponentTest
{
    private readonly TemporaryDirectory _folder = new("manifests-");
    private readonly List<ManifestEntry> _mapped = [];

    public ManifestCardTests()
    {
        Services.AddSingleton(new UploadFiles(_folder.Path));
        Services.AddSingleton(new PipelineOptions { MaxItemsPerBatch = 100 });
    }

    [Fact]
    public void Krithi_manifest_is_recognised_and_mapped_by_itself()
    {
        var shown = Shown("Krithi,Raga,Hyperlink\nEndaro,Sri,https://a.example/e\n");
        shown.WaitForAssertion(() => _mapped.ShouldHaveSingleItem().ShouldBe(new ManifestEntry("up_m", "Hyperlink", "Krithi")));
        shown.Find(".badge").TextContent.ShouldContain("Recognised");
        shown.Find("[data-testid=manifest-rows]").TextContent.ShouldBe("1 row");
    }

    [Fact]
    public void Table_without_addresses_asks_for_the_column_and_maps_nothing()
    {
        var shown = Shown("first;second\n1;2\n");
        shown.WaitForAssertion(() => shown.Find(".entry-error").TextContent.ShouldContain("No column looks like addresses"));
        shown.Find(".manifest-facts").TextContent.ShouldContain("semicolons");
        _mapped.ShouldBeEmpty();
    }

    [Fact]
    public async Task Chosen_column_becomes_the_mapping()
    {
        var shown = Shown("first,second\n1,2\n");
        shown.WaitForAssertion(() => shown.Find("#url-up_m"));
        await FireAsync(shown.Find("#url-up_m"), "onchange", new ChangeEventArgs { Value = "second" });
        _mapped.ShouldBe([new("up_m", "second")]);
    }

    [Fact]
    public void Columns_say_what_becomes_of_them()
    {
        var shown = Shown("Title,Raga,Link\nEndaro,Sri,https://a.example/e\n", new("up_m", "Link", "Title"));
        shown.WaitForAssertion(() => shown.FindAll("th small").Select(s => s.TextContent).ShouldBe(["title", "metadata", "address"]));
        _mapped.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("", "The file is empty.")]
    [InlineData("a,\"b\nnever closed", "quote")]
    public void What_is_no_table_says_so(string text, string said)
    {
        var shown = Shown(text);
        shown.WaitForAssertion(() => shown.Find("[role=alert]").TextContent.ShouldContain(said));
    }

    [Fact]
    public void Too_many_rows_are_said_with_the_limit()
    {
        var shown = Shown("url\n" + string.Join('\n', Enumerable.Range(0, 101).Select(i => $"https://a.example/{i}")));
        shown.WaitForAssertion(() => shown.Find(".entry-error").TextContent.ShouldContain("101 rows are too many: 100 are allowed"));
    }

    private IRenderedComponent<ManifestCard> Shown(string text, ManifestEntry? entry = null)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        File.WriteAllBytes(Path.Combine(_folder.Path, "up_m"), bytes);
        var upload = new Upload { TenantId = "default", PublicId = "up_m", Purpose = UploadPurposes.Manifest, Path = "m.csv", Size = bytes.Length, CreatedBy = "tester" };
        return Render<ManifestCard>(p => p.Add(m => m.Upload, upload).Add(m => m.Entry, entry).Add(m => m.OnMapped, (ManifestEntry e) => _mapped.Add(e)));
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) _folder.Dispose();
    }
}
