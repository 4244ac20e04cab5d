using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

public sealed class SchedulesTests
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    [Fact]
    public async Task Due_connection_is_synced_once_however_many_ask()
    {
        using var files = new TemporaryDirectory();
        File.WriteAllText(Path.Combine(files.Path, "a.txt"), "The text of a.");
        await using var host = await StartAsync(files);
        var schedules = host.Get<Schedules>();
        (await schedules.SetAsync(PipelineHost.Actor, "docs", "30 2 * * *", "Europe/Berlin", "default", Ct)).ShouldBeTrue();
        var view = (await host.Get<SourceConnections>().FindAsync("default", "docs", Ct))!;
        var next = TimeZoneInfo.ConvertTime(view.NextRunAt.ShouldNotBeNull(), TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"));
        (next.Hour, next.Minute).ShouldBe((2, 30));

        await host.QueryAsync<object>("UPDATE ingestion.connection SET next_run_at = ingestion.clock() - interval '3 days'");
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => schedules.RunDueAsync(Ct)));
        await host.UntilAsync("SELECT count(*) = 1 FROM ingestion.import_batch WHERE state = 'completed'");
        // What was missed is not made up for, and the next turn lies ahead.
        await schedules.RunDueAsync(Ct);
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.import_batch")).ShouldBe([1]);
        (await host.QueryAsync<bool>("SELECT next_run_at > ingestion.clock() AND schedule_note IS NULL FROM ingestion.connection")).ShouldBe([true]);
        (await host.QueryAsync<string>("SELECT created_by FROM ingestion.import_batch")).ShouldBe([PipelineHost.Actor.Name]);
    }

    [Fact]
    public async Task Turn_is_left_out_while_the_sync_before_it_runs()
    {
        using var files = new TemporaryDirectory();
        await using var host = await StartAsync(files, ("Ingestion:Pipeline:Stages:0", "Discover"));
        File.WriteAllText(Path.Combine(files.Path, "a.txt"), "The text of a.");
        await host.Get<Schedules>().SetAsync(PipelineHost.Actor, "docs", "0 0 1 1 *", "UTC", "default", Ct);
        await host.Get<Syncs>().StartAsync(PipelineHost.Actor, "docs", null, Ct);
        await host.UntilAsync("SELECT state = 'done' FROM ingestion.import_input");
        await host.QueryAsync<object>("UPDATE ingestion.connection SET next_run_at = ingestion.clock() - interval '1 minute'");
        await host.Get<Schedules>().RunDueAsync(Ct);
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.import_batch")).ShouldBe([1]);
        (await host.QueryAsync<string>("SELECT schedule_note FROM ingestion.connection")).Single().ShouldContain("still running");
    }

    [Theory]
    [InlineData("every day", "UTC")]
    [InlineData("0 3 * *", "UTC")]
    [InlineData("99 3 * * *", "UTC")]
    [InlineData("0 3 * * *", "Mars/Olympus")]
    public void Schedule_that_makes_no_sense_is_refused(string cron, string zone) => Schedules.Problem(cron, zone).ShouldNotBeNull();

    private static async Task<PipelineHost> StartAsync(TemporaryDirectory files, params (string, string)[] settings)
    {
        var host = await PipelineHost.StartAsync([("Ingestion:Sources:Roots:0", files.Path), .. settings]);
        await host.ConnectAsync("local_directory", "docs", new { path = files.Path });
        return host;
    }
}
