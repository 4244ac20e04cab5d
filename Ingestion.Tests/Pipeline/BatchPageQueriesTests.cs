using Ingestion.Core.Data;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

/// <summary>What the pages that follow a batch ask of the database.</summary>
public sealed class BatchPageQueriesTests : IAsyncLifetime
{
    private static readonly Actor Someone = new("default", "someone");
    private readonly TemporaryDirectory _data = new();
    private TestDatabase _test = null!;
    private Database _database = null!;
    private ServiceProvider _services = null!;

    public async Task InitializeAsync()
    {
        _test = await PostgresServer.CreateDatabaseAsync();
        _database = new Database(_test.ConnectionString, new() { WorkerPoolSize = 4, WebPoolSize = 4 });
        _services = new ServiceCollection().AddCore(_database, _data.Path).BuildServiceProvider();
    }

    public async Task DisposeAsync()
    {
        await _services.DisposeAsync();
        await _database.DisposeAsync();
        await _test.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task A_failure_group_leads_to_exactly_its_items()
    {
        var batch = await SubmitAsync("https://a.example/1", "https://a.example?x=2", "https://a.example.org/3", "http://a.example/4", "https://b.example/5");
        await FailAsync(batch, "not_found", "true");
        await FailAsync(batch, "gone", "source_key LIKE 'http://%'", from: "not_found");

        var groups = (await Failures.ListAsync("default", batch, 10, default)).Rows;
        groups.Select(g => (g.Code, g.Host, g.Count)).ShouldBe([("not_found", "a.example", 2), ("gone", "a.example", 1), ("not_found", "a.example.org", 1), ("not_found", "b.example", 1)]);
        foreach (var group in groups)
        {
            var ids = await Queries.ItemIdsAsync("default", batch, group.Filter, default);
            ids.Count.ShouldBe(group.Count);
            var page = await Queries.ItemsAsync("default", batch, group.Filter, 0, 10, default);
            page.Rows.Select(i => i.Id).ShouldBe(ids);
        }
    }

    [Fact]
    public async Task Messages_that_say_the_same_are_one_group_and_statuses_keep_theirs()
    {
        var batch = await SubmitAsync([.. Enumerable.Range(1, 6).Select(i => $"https://a.example/{i}")]);
        await FailAsync(batch, "access_denied", "true");
        string[] messages = ["a.example answered with status 403.", "a.example answered with status 401.", "The page 17 of “one.pdf” is broken.", "The page 1,204 of “two.pdf” is broken.", "a.example answered with status 403.", "See https://a.example/7 for more."];
        for (var i = 0; i < messages.Length; i++) await SqlAsync($"UPDATE import_item SET error_message = '{messages[i]}' WHERE source_key LIKE '%/{i + 1}'");

        var page = await Failures.ListAsync("default", batch, 2, default);

        page.Total.ShouldBe(4);
        page.Rows.Select(g => g.Count).ShouldBe([2, 2]);
        var broken = page.Rows.Single(g => g.Message.Contains("broken", StringComparison.Ordinal));
        (await Queries.ItemsAsync("default", batch, broken.Filter, 0, 10, default)).Rows.Select(i => i.SourceKey).ShouldBe(["https://a.example/3", "https://a.example/4"]);
    }

    [Fact]
    public async Task A_group_is_retried_alone()
    {
        var batch = await SubmitAsync("https://a.example/1", "https://a.example/2", "https://b.example/3");
        await FailAsync(batch, "not_found", "true");
        var items = await Queries.ItemIdsAsync("default", batch, new() { ErrorCode = "not_found", Host = "a.example" }, default);

        (await _services.GetRequiredService<BatchRetry>().RetryAsync(Someone, batch, RetryScope.Failed, items, null, default)).Done.ShouldBeTrue();

        (await Queries.ItemsAsync("default", batch, new() { States = [ItemState.Open] }, 0, 10, default)).Rows.Select(i => i.Id).ShouldBe(items);
    }

    [Fact]
    public async Task Rows_that_are_looked_at_are_read_by_id_and_new_ones_are_counted()
    {
        var first = await SubmitAsync("https://a.example/1");
        await SubmitAsync("https://a.example/2");
        (await Queries.ListAsync("default", new() { Ids = [first] }, 0, 10, default)).Rows.ShouldHaveSingleItem().Id.ShouldBe(first);
        (await Queries.CountAsync("default", new(), default)).ShouldBe(2);
        (await Queries.CountAsync("default", new() { Drafts = true }, default)).ShouldBe(0);
        (await Queries.CountAsync("elsewhere", new(), default)).ShouldBe(0);
    }

    [Fact]
    public async Task Live_tells_stages_waits_and_workers()
    {
        // What is no address waits as well, at no host.
        var batch = await SubmitAsync("https://a.example/1", "https://a.example/2", "https://", "https://a.example/4");
        await FailAsync(batch, "not_found", "name LIKE '%/1'");
        await SqlAsync($"UPDATE import_task_run SET wait_reason = 'host_pacing', scheduled_at = now() + interval '1 hour' WHERE batch_id = {batch} AND state = 'ready' AND item_id = (SELECT max(id) FROM import_item)");
        await SqlAsync("INSERT INTO worker_process (id, host, pid, role, version, slots) VALUES ('w', 'h', 1, 'both', '1', '{\"acquire\":8}'), ('p', 'h', 2, 'web', '1', '{}')");

        var live = await Watch.LiveAsync("default", batch, default);

        live.Stages.ShouldHaveSingleItem().ShouldBe(new(Stage.Acquire, Open: 3, Running: 0, Ended: 1, Failed: 1, Cancelled: 0));
        live.Waiting.Select(w => (w.Reason, w.Subject, w.Count)).ShouldBe([(HoldReasons.StageBusy, "acquire", 2), (WaitReasons.HostPacing, "a.example", 1)]);
        live.Outlook.Left.ShouldHaveSingleItem().ShouldBe(new(Stage.Acquire, Items: 3, Sized: 0, Bytes: 0, Chunked: 0, Chunks: 0));
        live.Outlook.Hosts.ShouldHaveSingleItem().ShouldBe(new("a.example", Pages: 2, PerMinute: 120, PausedUntil: null));
        live.Outlook.Places.Batch.ShouldBe(4);
        live.Workers.ShouldBe(1);
        live.Pace.LastMinute.ShouldBe(1);
    }

    [Fact]
    public async Task Pace_counts_the_last_five_minutes_and_no_cancelled_items()
    {
        var batch = await SubmitAsync([.. Enumerable.Range(1, 8).Select(i => $"https://a.example/{i}")]);
        await FailAsync(batch, "not_found", "true");
        await SqlAsync($"UPDATE import_item SET completed_at = now() - interval '2 minutes', chunk_count = 10 WHERE batch_id = {batch}");
        await SqlAsync($"UPDATE import_item SET completed_at = now() - interval '10 minutes' WHERE batch_id = {batch} AND name LIKE '%/8'");
        await SqlAsync($"UPDATE import_item SET state = 'cancelled' WHERE batch_id = {batch} AND name LIKE '%/7'");

        var pace = (await Watch.TenantAsync("default", default)).Pace;

        (pace.Recent, pace.LastMinute, pace.Chunks).ShouldBe((6, 0, 60));
        pace.PerMinute.ShouldBe(3, tolerance: 0.2);
        (await Watch.TenantAsync("elsewhere", default)).Pace.ShouldBe(BatchPace.None);
    }

    [Fact]
    public async Task Recent_failures_are_grouped_by_batch_and_code()
    {
        var batch = await SubmitAsync("https://a.example/1", "https://a.example/2", "https://b.example/3");
        await FailAsync(batch, "not_found", "source_key LIKE 'https://a%'");
        await FailAsync(batch, "gone", "state = 'open'");
        var lately = DateTimeOffset.UtcNow.AddHours(-1);
        (await Watch.RecentFailuresAsync("default", lately, 10, default)).Select(f => (f.Code, f.Count)).ShouldBe([("not_found", 2), ("gone", 1)], ignoreOrder: true);
        (await Watch.RecentFailuresAsync("default", DateTimeOffset.UtcNow.AddHours(1), 10, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Events_can_be_narrowed_to_kinds_and_items_named()
    {
        var batch = await SubmitAsync("https://a.example/1");
        var control = _services.GetRequiredService<BatchControl>();
        (await control.PauseAsync(Someone, batch, default)).Done.ShouldBeTrue();
        (await Queries.EventsAsync("default", batch, null, null, 10, default, [EventKinds.BatchPaused])).ShouldHaveSingleItem().Kind.ShouldBe(EventKinds.BatchPaused);
        (await Queries.EventsAsync("default", batch, null, null, 10, default)).Count.ShouldBeGreaterThan(1);
        var items = await Queries.ItemIdsAsync("default", batch, new(), default);
        (await Queries.ItemNamesAsync("default", [.. items, 999_999], default)).ShouldHaveSingleItem().Value.ShouldBe("https://a.example/1");
    }

    private BatchQueries Queries => _services.GetRequiredService<BatchQueries>();

    private FailureGroups Failures => _services.GetRequiredService<FailureGroups>();

    private BatchWatch Watch => _services.GetRequiredService<BatchWatch>();

    private async Task<long> SubmitAsync(params string[] urls) =>
        (await _services.GetRequiredService<Submission>().SubmitAsync(Someone, new("A batch") { Urls = [.. urls.Select(u => new UrlEntry(u))] }, null, default)).BatchId;

    /// <summary>Ends items as the pipeline would: the task final, the item failed.</summary>
    private async Task FailAsync(long batch, string code, string where, string? from = null)
    {
        await SqlAsync($"""
            UPDATE import_task_run SET state = 'failed', finished_at = now(), error_code = '{code}'
            WHERE batch_id = {batch} AND state = 'ready' AND item_id IN (SELECT id FROM import_item WHERE {where});
            UPDATE import_item SET state = 'failed', error_code = '{code}', error_message = 'It failed.', completed_at = now()
            WHERE batch_id = {batch} AND {where} AND (state = 'open' OR error_code = '{from}')
            """);
    }

    private async Task SqlAsync(string sql)
    {
        await using var command = _database.Worker.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
