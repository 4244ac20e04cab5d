using System.Diagnostics;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests;

/// <summary>Three real manifests, 1,240 rows, through the running program.</summary>
[Collection(RunningProgram.Name)]
public sealed class KrithiTests(ITestOutputHelper output)
{
    [KrithiFact]
    public async Task Every_row_is_an_item_that_ends_and_the_batch_completes_by_itself()
    {
        using var data = new TemporaryDirectory("krithi-").Traversable();
        await using var site = await KrithiSite.StartAsync();
        site.Kinds.Count.ShouldBe(KrithiSite.Addresses);
        await using var app = await AppProcess.StartAsync(data.Path, site.Settings);
        var clock = Stopwatch.StartNew();
        var id = await site.SubmitAsync(app);
        var batch = await app.EndedAsync(id, TimeSpan.FromMinutes(4));

        var counts = batch.GetProperty("counts");
        output.WriteLine($"{clock.Elapsed.TotalSeconds:0.0} s: {counts}");
        batch.GetProperty("state").GetString().ShouldBe("completed");
        counts.GetProperty("total").GetInt32().ShouldBe(KrithiSite.Rows);
        await using var database = await KrithiDatabase.OpenAsync(data.Path);
        (await database.ProblemsAsync(site)).ShouldBeEmpty();
        output.WriteLine(await AppProcess.VerifyAsync(data.Path));
        // Two rows share an address: each is an item of its own.
        (await database.CountAsync("SELECT count(*)::int FROM (SELECT source_key FROM ingestion.import_item GROUP BY source_key HAVING count(*) > 1) x")).ShouldBe(1);
        foreach (var kind in Enum.GetValues<PageKind>()) output.WriteLine($"{kind}: {site.Kinds.Values.Count(k => k == kind)}");
    }
}
