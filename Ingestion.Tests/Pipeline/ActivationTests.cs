using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class ActivationTests : DatabaseTest
{
    private int Limit => Spine.Options.MaxConcurrentJobs;

    [Fact]
    public async Task No_more_large_batches_work_than_allowed_and_the_next_enters_when_one_ends()
    {
        var batches = new List<long>();
        for (var i = 0; i < Limit + 2; i++) batches.Add(await LargeAsync());
        await ActivateAsync();
        (await WorkingAsync()).ShouldBe(batches.Take(Limit));
        await Spine.Control.CancelAsync(Make.Actor, batches[0], CancellationToken.None);
        await ActivateAsync();
        (await WorkingAsync()).ShouldBe(batches.Skip(1).Take(Limit));
    }

    [Fact]
    public async Task Small_batches_enter_at_once_and_take_no_place()
    {
        for (var i = 0; i < Limit; i++) await LargeAsync();
        await ActivateAsync();
        var small = await SmallAsync();
        await ActivateAsync();
        (await WorkingAsync()).ShouldContain(small);
        await Spine.Control.CancelAsync(Make.Actor, (await WorkingAsync())[0], CancellationToken.None);
        var large = await LargeAsync();
        await ActivateAsync();
        (await WorkingAsync()).ShouldContain(large);
    }

    [Fact]
    public async Task A_batch_that_is_still_being_listed_is_not_small()
    {
        for (var i = 0; i < Limit + 1; i++)
        {
            var batch = await Make.Batch(BatchState.Queued);
            await Make.Task(batch, stage: Stage.Discover);
        }
        await ActivateAsync();
        (await WorkingAsync()).Count.ShouldBe(Limit);
    }

    [Fact]
    public async Task Urgent_enters_before_what_came_earlier_but_not_for_ever()
    {
        for (var i = 0; i < Limit - 1; i++) await LargeAsync();
        await ActivateAsync();
        var earlier = await LargeAsync(age: TimeSpan.FromMinutes(5));
        var urgent = await LargeAsync(Priority.Urgent);
        var longAgo = await LargeAsync(Priority.Low, TimeSpan.FromHours(3));
        await ActivateAsync();
        (await WorkingAsync()).ShouldContain(longAgo);
        await Spine.Control.CancelAsync(Make.Actor, longAgo, CancellationToken.None);
        await ActivateAsync();
        (await WorkingAsync()).ShouldContain(urgent);
        (await WorkingAsync()).ShouldNotContain(earlier);
    }

    [Fact]
    public async Task A_tenant_with_fewer_batches_at_work_enters_first()
    {
        await Make.OtherTenant("other");
        for (var i = 0; i < Limit + 1; i++) await LargeAsync(age: TimeSpan.FromMinutes(5));
        await ActivateAsync();
        var theirs = await LargeAsync(tenant: "other");
        await Spine.Control.CancelAsync(Make.Actor, (await WorkingAsync())[0], CancellationToken.None);
        await ActivateAsync();
        (await WorkingAsync()).ShouldContain(theirs);
    }

    [Fact]
    public async Task Jobs_know_whether_their_batch_is_small()
    {
        var small = await SmallAsync();
        await LargeAsync();
        await ActivateAsync();
        (await QueryAsync<long>("SELECT DISTINCT batch_id FROM ingestion.import_job WHERE small")).ShouldBe([small]);
        var listed = await Make.Batch();
        var listing = await Make.Task(listed, TaskState.Running, Stage.Discover);
        await Make.Task(listed);
        (await Spine.DoneAsync(listing)).ShouldBeTrue();
        (await QueryAsync<long>("SELECT DISTINCT batch_id FROM ingestion.import_job WHERE small ORDER BY 1")).ShouldBe([small, listed]);
    }

    [Fact]
    public async Task Many_processes_deciding_at_once_do_not_exceed_the_limit()
    {
        for (var i = 0; i < Limit * 3; i++) await LargeAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => ActivateAsync()));
        (await WorkingAsync()).Count.ShouldBe(Limit);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'batch_started'")).ShouldBe(Limit);
    }

    [Fact]
    public async Task A_batch_with_nothing_left_to_do_ends_when_it_enters()
    {
        var batch = await Make.Batch(BatchState.Queued);
        await Make.Item(batch, ItemState.Done);
        await ActivateAsync();
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch")).ShouldBe("completed");
    }

    [Fact]
    public async Task A_batch_that_nobody_ended_is_ended_by_the_sweep()
    {
        var batch = await Make.Batch();
        await Make.Item(batch, ItemState.Done);
        await Spine.Duties.FinishAsync(CancellationToken.None);
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch")).ShouldBe("completed");
    }

    private Task ActivateAsync() => Spine.Duties.ActivateAsync(CancellationToken.None);

    private Task<List<long>> WorkingAsync() => QueryAsync<long>("SELECT DISTINCT b.id FROM ingestion.import_batch b JOIN ingestion.import_job j ON j.batch_id = b.id AND j.active WHERE b.state = 'running' ORDER BY b.id");

    private async Task<long> SmallAsync()
    {
        var batch = await Make.Batch(BatchState.Queued);
        await Make.Task(batch);
        return batch;
    }

    private async Task<long> LargeAsync(Priority priority = Priority.Normal, TimeSpan? age = null, string tenant = Make.Tenant)
    {
        var batch = await Make.Batch(BatchState.Queued, priority: priority, age: age, tenant: tenant);
        await ExecuteAsync("""
            INSERT INTO ingestion.import_item (tenant_id, batch_id, source_type, source_key, row, name, metadata, state, stage, step, progress_current, completed_at)
            SELECT $3, $1, 'url', 'https://example.org/many', n, 'x', '{}', 'done', 'index', 'finished', 0, now() FROM generate_series(1, $2) n
            """, batch, BatchSize.Small, tenant);
        await Make.Task(batch);
        return batch;
    }
}
