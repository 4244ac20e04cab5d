using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F14: one program two hours ahead, one two hours behind, one whose clock steps back ten minutes; the database's clock decides.</summary>
[Collection(RunningProgram.Name)]
[Trait("Category", "Long")]
public sealed class ClockTests(ITestOutputHelper output)
{
    private const int Rows = 400;

    [FaketimeFact]
    public async Task Leases_pauses_and_durations_follow_the_databases_clock()
    {
        var seed = Random.Shared.Next();
        using var report = new ChaosReport(output, "F14 clocks", seed);
        await using var run = await ChaosRun.SharedAsync(await KrithiSite.MadeUpAsync(Rows, seed));
        using var clock = new TemporaryDirectory("chaos-clock-");
        var file = Path.Combine(clock.Path, "offset");
        await File.WriteAllTextAsync(file, "+0s");
        await using var ahead = Begin(run, ("FAKETIME", "+2h"));
        await using var behind = Begin(run, ("FAKETIME", "-2h"));
        await using var stepping = Begin(run, ("FAKETIME_TIMESTAMP_FILE", file), ("FAKETIME_NO_CACHE", "1"));
        foreach (var app in new[] { ahead, behind, stepping }) await app.ReadyAsync();
        await using var sampler = run.Sample();
        var started = await run.ScalarAsync<DateTimeOffset>("SELECT now()");

        var id = await run.Site.SubmitAsync(ahead, workers: 24);
        await stepping.BatchAsync(id, b => b.GetProperty("counts").GetProperty("terminal").GetInt32() > Rows / 3, ChaosRun.Patience);
        await File.WriteAllTextAsync(file, "-10m");
        await behind.EndedAsync(id, ChaosRun.Patience);

        var stamp = (await stepping.GetAsync("/health")).GetProperty("timestamp").GetDateTimeOffset();
        (await run.ScalarAsync<double>("SELECT extract(epoch FROM now() - $1)::float8", stamp)).ShouldBeInRange(500, 700, "its clock did step back");
        (await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'lease_lost'")).ShouldBe(0);
        var workers = await run.ScalarAsync<long>("SELECT count(DISTINCT worker) FROM ingestion.import_task_run");
        (await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE finished_at < claimed_at OR claimed_at < created_at OR claimed_at < $1 OR finished_at > now()", started)).ShouldBe(0);
        (await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_item WHERE completed_at < started_at OR started_at < $1 OR completed_at > now()", started)).ShouldBe(0);
        (await run.ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE at < $1 OR at > now()", started)).ShouldBe(0);
        // A pause before the retry of a page that recovers is as long as it was set, give or take.
        var pause = await run.ScalarAsync<double>("SELECT coalesce(max(extract(epoch FROM claimed_at - scheduled_at)), 0)::float8 FROM ingestion.import_task_run WHERE failures > 0");
        report.Figure($"{Rows} rows over {workers} programs at +2 h, -2 h and -10 min in mid-run: 0 leases lost, 0 times out of order, a retry claimed {pause:0.0} s after its time at most");
        workers.ShouldBe(3);
        pause.ShouldBeLessThan(60);
        await run.CheckAsync(report, sampler);
        report.Pass();
    }

    private static AppProcess Begin(ChaosRun run, params (string, string)[] clock) =>
        AppProcess.Begin(new(run.Data) { Settings = run.Settings(), Environment = [("LD_PRELOAD", FaketimeFactAttribute.Library!), ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), .. clock] });
}

/// <summary>Runs where libfaketime is installed.</summary>
internal sealed class FaketimeFactAttribute : FactAttribute
{
    public FaketimeFactAttribute()
    {
        if (Library is null) Skip = "libfaketime is not installed.";
    }

    public static string? Library { get; } = Directory.Exists("/usr/lib")
        ? Directory.EnumerateDirectories("/usr/lib", "faketime", new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 })
            .Select(d => Path.Combine(d, "libfaketimeMT.so.1")).FirstOrDefault(File.Exists)
        : null;
}
