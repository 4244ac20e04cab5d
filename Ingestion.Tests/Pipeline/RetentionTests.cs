using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Duties;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

/// <summary>Details of ended batches go after their time, and nothing else does; what is left still proves itself.</summary>
public sealed class RetentionTests : DatabaseTest
{
    private static readonly RetentionOptions Days30 = new() { EventsDays = 30, TaskRunsDays = 30, AuditDays = 30 };

    [Fact]
    public async Task Old_batch_loses_its_details_keeps_its_counts_and_verifies_clean()
    {
        using var folder = new TemporaryDirectory();
        var batch = await FinishedBatch.CreateAsync(Spine, folder.Path);
        var (events, runs) = (await CountAsync("import_event"), await CountAsync("import_task_run"));
        var items = await CountAsync("import_item");
        await AgeAsync(31);

        await PruneAsync(Days30);

        (await CountAsync("import_event"), await CountAsync("import_task_run"), await CountAsync("import_item")).ShouldBe((0, 0, items));
        (await ScalarAsync<long>("SELECT last_seq FROM ingestion.pruned_batch")).ShouldBe(events);
        (await ScalarAsync<long>("SELECT sum(value::int) FROM ingestion.pruned_batch, jsonb_each_text(events)")).ShouldBe(events);
        (await ScalarAsync<long>("SELECT sum(value::int) FROM ingestion.pruned_batch, jsonb_each_text(task_runs)")).ShouldBe(runs);
        (await ScalarAsync<int>("SELECT (task_runs ->> 'acquire.failed')::int FROM ingestion.pruned_batch")).ShouldBe(1);
        (await ScalarAsync<string>("SELECT final_counts ->> 'Done' FROM ingestion.import_batch")).ShouldBe("3");
        await ShouldBeCleanAsync(batch);
    }

    [Fact]
    public async Task Pruned_batch_can_be_retried_and_goes_on_counting()
    {
        using var folder = new TemporaryDirectory();
        var batch = await FinishedBatch.CreateAsync(Spine, folder.Path);
        var events = await CountAsync("import_event");
        await AgeAsync(31);
        await PruneAsync(Days30);

        var id = await ScalarAsync<long>("SELECT id FROM ingestion.import_batch");
        (await Spine.Retry.RetryAsync(Make.Actor, id, RetryScope.Failed, null, null, default)).Done.ShouldBeTrue();
        (await ScalarAsync<long>("SELECT min(seq) FROM ingestion.import_event")).ShouldBe(events + 1);
        await ShouldBeCleanAsync(batch);

        await Spine.FailAsync((await Spine.ClaimAsync()).Single(), ErrorCodes.NotFound);
        await ShouldBeCleanAsync(batch);
        // It ended just now: its new details are young.
        await PruneAsync(Days30);
        (await CountAsync("import_event")).ShouldBeGreaterThan(0);

        await AgeAsync(31);
        await PruneAsync(Days30);
        (await CountAsync("import_event")).ShouldBe(0);
        await ShouldBeCleanAsync(batch);
    }

    [Theory]
    [InlineData("prune_events")]
    [InlineData("prune_task_runs")]
    public async Task Half_pruned_is_no_loss_and_a_lost_row_still_is(string function)
    {
        using var folder = new TemporaryDirectory();
        var batch = await FinishedBatch.CreateAsync(Spine, folder.Path);
        await AgeAsync(31);
        var id = await ScalarAsync<long>("SELECT id FROM ingestion.import_batch");

        (await ScalarAsync<int>($"SELECT ingestion.{function}($1, interval '30 days', 3)", id)).ShouldBe(3);
        await ShouldBeCleanAsync(batch);

        if (function != "prune_events") return;
        await BreakAsync("DELETE FROM ingestion.import_event WHERE seq = (SELECT max(seq) FROM ingestion.import_event)");
        var report = await batch.Verification.RunAsync(new(Quick: true), default);
        report.Checks.Single(c => c.Name == "pruned_events_add_up").Count.ShouldBe(1);
    }

    [Fact]
    public async Task Nothing_goes_that_is_young_open_or_kept_for_ever()
    {
        using var folder = new TemporaryDirectory();
        await FinishedBatch.CreateAsync(Spine, folder.Path);
        var events = await CountAsync("import_event");
        await PruneAsync(Days30);
        await AgeAsync(31);
        await PruneAsync(new() { EventsDays = 0, TaskRunsDays = 0 });
        (await CountAsync("import_event")).ShouldBe(events);

        // One item waits for a reviewer still.
        await ExecuteAsync("UPDATE ingestion.import_item SET state = 'open', completed_at = NULL WHERE id = (SELECT min(id) FROM ingestion.import_item)");
        await PruneAsync(Days30);
        (await CountAsync("import_event")).ShouldBe(events);
        (await CountAsync("pruned_batch")).ShouldBe(0);
    }

    [Fact]
    public async Task Only_the_functions_remove_and_never_what_is_younger_than_a_day()
    {
        using var folder = new TemporaryDirectory();
        await FinishedBatch.CreateAsync(Spine, folder.Path);
        await AgeAsync(31);
        var id = await ScalarAsync<long>("SELECT id FROM ingestion.import_batch");

        foreach (var sql in new[] { "DELETE FROM ingestion.import_event", "DELETE FROM ingestion.import_task_run", "UPDATE ingestion.pruned_batch SET last_seq = 0" })
            await Should.ThrowAsync<PostgresException>(() => ExecuteAsync("SELECT set_config('ingestion.prune', 'on', false); " + sql));
        (await Should.ThrowAsync<PostgresException>(() => QueryAsync<int>("SELECT ingestion.prune_events($1, interval '1 hour', 10)", id))).SqlState.ShouldBe(PostgresErrorCodes.InvalidParameterValue);
        await using var web = await Database.OpenWebAsync("default", default);
        (await Should.ThrowAsync<PostgresException>(() => web.QueryAsync<int>("SELECT ingestion.prune_events($1, interval '30 days', 10)", id))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
    }

    [Fact]
    public async Task Audit_goes_by_age_but_for_what_explains_runs_that_are_still_here()
    {
        using var folder = new TemporaryDirectory();
        var batch = await FinishedBatch.CreateAsync(Spine, folder.Path);
        var id = await ScalarAsync<long>("SELECT id FROM ingestion.import_batch");
        await Spine.Retry.RetryAsync(Make.Actor, id, RetryScope.Failed, null, new() { MaxRetries = 0 }, default);
        await Spine.FailAsync((await Spine.ClaimAsync()).Single(), ErrorCodes.NotFound);
        await BreakAsync("UPDATE ingestion.audit_entry SET at = at - interval '31 days'");

        await PruneAsync(new() { EventsDays = 0, TaskRunsDays = 0, AuditDays = 30 });
        (await QueryAsync<string>("SELECT action FROM ingestion.audit_entry")).ShouldBe(["retry"]);
        await ShouldBeCleanAsync(batch);

        await AgeAsync(31);
        await PruneAsync(Days30);
        (await CountAsync("audit_entry")).ShouldBe(0);
    }

    [Fact]
    public async Task Processes_that_are_long_gone_are_forgotten()
    {
        await ExecuteAsync("INSERT INTO ingestion.worker_process (id, host, pid, role, version, last_seen_at) VALUES ('old', 'h', 1, 'both', '1', now() - interval '8 days'), ('new', 'h', 2, 'both', '1', now())");
        await PruneAsync(Days30);
        (await QueryAsync<string>("SELECT id FROM ingestion.worker_process")).ShouldBe(["new"]);
    }

    private Task PruneAsync(RetentionOptions retention) =>
        new PruneDetails(Worker, retention, NullLogger<PruneDetails>.Instance).RunAsync(new(DateTimeOffset.UnixEpoch, null), default);

    private Task AgeAsync(int days) => BreakAsync($"""
        UPDATE ingestion.import_batch SET completed_at = completed_at - interval '{days} days' WHERE completed_at IS NOT NULL;
        UPDATE ingestion.import_item SET completed_at = completed_at - interval '{days} days' WHERE completed_at IS NOT NULL;
        UPDATE ingestion.import_task_run SET finished_at = finished_at - interval '{days} days' WHERE finished_at IS NOT NULL;
        """);

    private Task<long> CountAsync(string table) => ScalarAsync<long>($"SELECT count(*) FROM ingestion.{table}");

    private static async Task ShouldBeCleanAsync(FinishedBatch batch) =>
        (await batch.Verification.RunAsync(new(Quick: true), default)).Checks.Where(c => c.Count > 0).SelectMany(c => c.First.Select(v => $"{c.Name}: {v.Sentence}")).ShouldBeEmpty();
}
