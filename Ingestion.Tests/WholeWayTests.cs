using Ingestion.Core.Pipeline;
using Ingestion.Tests.Parsing;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests;

public sealed class WholeWayTests
{
    [Fact]
    public async Task Smoke()
    {
        await using var site = await FixtureHost.StartAsync();
        await using var app = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", site.Target));
        var uploads = new[]
        {
            await app.UploadAsync("a/one.txt", "Plain words about herons and their reeds."),
            await app.UploadAsync("a/two.md", "# Otters\n\nOtters hold hands while they sleep."),
            await app.UploadAsync("a/three.html", "<html><body><nav>Menu</nav><main><h1>Badgers</h1><p>Badgers dig setts under hedges.</p></main></body></html>"),
            await app.UploadAsync("a/four.csv", "bird,colour\nkingfisher,blue\n"),
            await app.UploadAsync("a/five.docx", OfficeSamples.Docx(OfficeSamples.P("Newts return to the pond where they hatched."))),
            await app.UploadAsync("a/six.pdf", PdfSamples.Pages(["Voles store their roots in chambers."])),
        };
        var manifest = await app.UploadAsync("list.csv", $"Krithi,Raga,Hyperlink\nfirst,kalyANi,{site.Url("/m1")}\nsecond,bhairavi,{site.Url("/m2")}\n");
        var batch = await app.SubmitAsync(new("mixed") { Uploads = uploads, Urls = [new(site.Url("/u1").AbsoluteUri)], Manifests = [new(manifest, "Hyperlink", "Krithi")] });
        var ended = await app.EndedAsync(batch);
        var items = await app.ItemsAsync(batch);
        items.ShouldAllBe(i => i.State == ItemState.Done, string.Join('\n', items));
        ended.State.ShouldBe(BatchState.Completed);
        (await app.SearchAsync("otters hold hands"))[0].Text.ShouldContain("hold hands");
    }
}
