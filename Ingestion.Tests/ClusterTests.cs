using System.Diagnostics;
using System.Net;
using Ingestion.Core;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests;

/// <summary>Several processes of the real program share one database: they divide the work, follow each other, and show the same.</summary>
[Collection(RunningProgram.Name)]
public sealed class ClusterTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task One_serves_pages_while_others_work_and_all_show_the_same()
    {
        await using var site = await FixtureHost.StartAsync();
        await using var cluster = await Cluster.CreateAsync();
        var web = await cluster.StartAsync(ServerRole.Web);
        var targets = ("Ingestion:Acquire:AllowedTargets:0", site.Target);

        // Nobody works yet: the batch is accepted and says what it waits for.
        var id = await web.SubmitAsync(new { name = "split", urls = Enumerable.Range(1, 30).Select(n => new { url = site.Url($"/{n}") }) });
        var workers = await web.GetAsync("/api/v1/workers");
        workers.GetProperty("stages").EnumerateArray().ShouldAllBe(s => s.GetProperty("workers").GetInt32() == 0);
        workers.GetProperty("processes")[0].GetProperty("role").GetString().ShouldBe("web");

        // Each stage has one process that serves it.
        var fetcher = await cluster.StartAsync(ServerRole.Worker, targets, ("Ingestion:Pipeline:Stages:0", "Acquire"), ("Ingestion:Pipeline:Stages:1", "Discover"));
        await cluster.UntilAsync("SELECT count(*) = 30 FROM ingestion.import_item WHERE stage = 'parse'");
        (await cluster.QueryAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE stage <> 'acquire' AND attempt > 0")).ShouldBe([0]);
        var rest = await cluster.StartAsync(ServerRole.Both, targets, ("Ingestion:Pipeline:Stages:0", "parse"), ("Ingestion:Pipeline:Stages:1", "embed"), ("Ingestion:Pipeline:Stages:2", "index"));

        var end = await web.EndedAsync(id, Patience);
        end.GetProperty("state").GetString().ShouldBe("completed");
        end.GetProperty("counts").GetProperty("done").GetInt32().ShouldBe(30);
        (await rest.GetAsync($"/api/v1/batches/{id}")).GetProperty("counts").GetRawText().ShouldBe(end.GetProperty("counts").GetRawText());
        (await cluster.QueryAsync<string>("SELECT DISTINCT stage || ' ' || split_part(worker, ':', 2) FROM ingestion.import_task_run")).Order()
            .ShouldBe(new[] { $"acquire {fetcher.Id}", $"embed {rest.Id}", $"index {rest.Id}", $"parse {rest.Id}" });

        // A worker answers for its health and for nothing else.
        (await fetcher.Client.GetAsync("/health")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await fetcher.Client.GetAsync($"/api/v1/batches/{id}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await web.GetAsync("/api/v1/verify")).GetProperty("violations").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task Page_of_one_process_moves_while_another_works()
    {
        await using var site = await FixtureHost.StartAsync();
        await using var cluster = await Cluster.CreateAsync();
        var web = await cluster.StartAsync(ServerRole.Web);
        await cluster.StartAsync(ServerRole.Worker, ("Ingestion:Acquire:AllowedTargets:0", site.Target));
        var seen = new List<int>();

        var id = await web.SubmitAsync(new { name = "moving", urls = Enumerable.Range(1, 40).Select(n => new { url = site.Url($"/{n}") }) });
        await web.BatchAsync(id, b => { seen.Add(b.GetProperty("counts").GetProperty("terminal").GetInt32()); return AppProcess.HasEnded(b); }, Patience);

        seen.ShouldBe(seen.Order());
        seen[^1].ShouldBe(40);
        (await cluster.QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ingestion_listener'")).ShouldBe([2]);
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task Killed_process_is_followed_in_its_tasks_and_its_duties()
    {
        await using var site = await FixtureHost.StartAsync();
        await using var cluster = await Cluster.CreateAsync();
        using var hold = new SemaphoreSlim(0);
        site.On("/held", async context => { await hold.WaitAsync(context.RequestAborted); await context.Response.WriteAsync(FixtureHost.PageOf("/held")); });
        var targets = ("Ingestion:Acquire:AllowedTargets:0", site.Target);
        var first = await cluster.StartAsync(ServerRole.Both, targets);
        var id = await first.SubmitAsync(new { name = "followed", urls = new[] { new { url = site.Url("/held") } } });
        await cluster.UntilAsync("SELECT count(*) = 1 FROM ingestion.import_task_run WHERE state = 'running' AND stage = 'acquire'");
        var second = await cluster.StartAsync(ServerRole.Both, targets);

        await first.KillAsync();
        var killed = Stopwatch.GetTimestamp();
        await cluster.UntilAsync("SELECT bool_or(worker LIKE $1 AND state = 'running') FROM ingestion.import_task_run", $"%:{second.Id}:%");
        var taken = Stopwatch.GetElapsedTime(killed);
        // Those with short intervals; the others are due in minutes.
        await cluster.UntilAsync("SELECT bool_and(worker LIKE $1) FROM ingestion.duty WHERE name IN ('batches', 'rescue')", $"%:{second.Id}:%");
        var duties = Stopwatch.GetElapsedTime(killed);
        hold.Release(10);

        output.WriteLine($"task taken over after {taken.TotalSeconds:0.0} s, duties after {duties.TotalSeconds:0.0} s (lease 3 s, sweep 1 s)");
        taken.ShouldBeLessThan(Cluster.TakeOver);
        (await second.EndedAsync(id, Patience)).GetProperty("counts").GetProperty("done").GetInt32().ShouldBe(1);
        (await cluster.QueryAsync<string>("SELECT attempt || ' ' || failures || ' ' || crashes FROM ingestion.import_task_run WHERE stage = 'acquire'")).ShouldBe(["2 0 1"]);
        var processes = (await second.GetAsync("/api/v1/workers")).GetProperty("processes").EnumerateArray().ToDictionary(p => p.GetProperty("pid").GetInt32(), p => p.GetProperty("state").GetString());
        (processes[first.Id], processes[second.Id]).ShouldBe(("silent", "alive"));
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task Frozen_process_that_wakes_writes_nothing_of_what_was_taken_from_it()
    {
        await using var site = await FixtureHost.StartAsync();
        await using var cluster = await Cluster.CreateAsync();
        var (asked, hold) = (new SemaphoreSlim(0), new SemaphoreSlim(0));
        site.On("/held", async context => { asked.Release(); await hold.WaitAsync(context.RequestAborted); await context.Response.WriteAsync(FixtureHost.PageOf("/held")); });
        var targets = ("Ingestion:Acquire:AllowedTargets:0", site.Target);
        var frozen = await cluster.StartAsync(ServerRole.Both, targets);
        var id = await frozen.SubmitAsync(new { name = "frozen", urls = new[] { new { url = site.Url("/held") } } });
        (await asked.WaitAsync(Patience)).ShouldBeTrue();

        await frozen.FreezeAsync();
        try
        {
            var survivor = await cluster.StartAsync(ServerRole.Both, targets);
            (await asked.WaitAsync(Patience)).ShouldBeTrue();
            // The answers to both are sent: the survivor's is saved, the other lies in the frozen one's socket.
            hold.Release(2);
            await survivor.EndedAsync(id, Patience);
        }
        finally
        {
            await frozen.WakeAsync();
        }
        await cluster.UntilAsync("SELECT bool_and(last_seen_at > now() - interval '2 seconds') FROM ingestion.worker_process");

        (await frozen.GetAsync($"/api/v1/batches/{id}")).GetProperty("counts").GetProperty("done").GetInt32().ShouldBe(1);
        (await cluster.QueryAsync<int>("SELECT attempt FROM ingestion.import_task_run WHERE stage = 'acquire'")).ShouldBe([2]);
        (await cluster.QueryAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'stage_done'")).ShouldBe([4]);
        (await frozen.GetAsync("/api/v1/verify")).GetProperty("violations").GetInt64().ShouldBe(0);
    }

    [Fact]
    public async Task Stopped_process_gives_its_work_back_at_once_and_exits_well()
    {
        await using var site = await FixtureHost.StartAsync();
        await using var cluster = await Cluster.CreateAsync();
        using var hold = new SemaphoreSlim(0);
        site.Otherwise = async context => { await hold.WaitAsync(context.RequestAborted); await context.Response.WriteAsync(FixtureHost.PageOf(context.Request.Path)); };
        // A lease of the usual length: nobody could wait for it here.
        (string, string)[] settings = [("Ingestion:Acquire:AllowedTargets:0", site.Target), ("Ingestion:Pipeline:Lease", "00:10:00"), ("Ingestion:Pipeline:Heartbeat", "00:00:10")];
        var stopping = await cluster.StartAsync(ServerRole.Worker, settings);
        var other = await cluster.StartAsync(ServerRole.Web);
        var id = await other.SubmitAsync(new { name = "drained", urls = Enumerable.Range(1, 8).Select(n => new { url = site.Url($"/{n}") }), options = new { max_workers = 8 } });
        await cluster.UntilAsync("SELECT count(*) = 8 FROM ingestion.import_task_run WHERE state = 'running'");

        var asked = Stopwatch.GetTimestamp();
        await stopping.StopAsync();
        var took = Stopwatch.GetElapsedTime(asked);

        output.WriteLine($"stopped after {took.TotalSeconds:0.0} s with 8 documents at work");
        stopping.ExitCode.ShouldBe(0, stopping.Output);
        took.ShouldBeLessThan(TimeSpan.FromSeconds(35));
        (await cluster.QueryAsync<string>("SELECT DISTINCT state || ' ' || failures || ' ' || crashes FROM ingestion.import_task_run")).ShouldBe(["ready 0 0"]);
        (await cluster.QueryAsync<bool>("SELECT stopped_at IS NOT NULL FROM ingestion.worker_process WHERE role = 'worker'")).ShouldBe([true]);
        hold.Release(100);
        await cluster.StartAsync(ServerRole.Worker, settings);
        (await other.EndedAsync(id, Patience)).GetProperty("counts").GetProperty("done").GetInt32().ShouldBe(8);
    }

    [Fact]
    public async Task Without_a_database_that_all_reach_one_process_does_everything()
    {
        using var data = new TemporaryDirectory("alone-").Traversable();
        var refused = await Record.ExceptionAsync(() => AppProcess.StartAsync(data.Path, ("Ingestion:Role", "Worker")));
        refused.ShouldNotBeNull().Message.ShouldContain("Several processes need a database that all of them reach: set ConnectionStrings__Ingestion");
    }
}
