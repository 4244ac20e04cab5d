using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Events;

public sealed class ImportEventsTests : DatabaseTest
{
    private const int Writers = 8;
    private const int Appends = 60;

    [Fact]
    public async Task Eight_writers_number_without_gaps_in_the_order_of_commit()
    {
        var batch = await Make.Batch();
        var rolledBack = await WriteAsync(batch);
        (await ScalarAsync<bool>("SELECT count(*) = max(seq) AND min(seq) = 1 AND max(seq) = (SELECT seq FROM ingestion.import_batch_seq) FROM ingestion.import_event")).ShouldBeTrue();
        (await ScalarAsync<long>("SELECT max(seq) FROM ingestion.import_event")).ShouldBe(1 + 2 * (Writers * Appends - rolledBack));
        rolledBack.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Follower_misses_nothing_and_repeats_nothing_under_load()
    {
        var batch = await Make.Batch();
        var follower = FollowAsync(batch, upTo: null);
        var rolledBack = await WriteAsync(batch);
        // One more, so that the follower meets the last number after it knows it.
        Volatile.Write(ref _last, 2 + 2 * (Writers * Appends - rolledBack));
        await AppendAsync(batch, "last");
        (await follower).ShouldBe(Enumerable.Range(1, (int)_last).Select(i => (long)i));
    }

    [Fact]
    public async Task Follower_misses_nothing_where_hints_never_come()
    {
        var batch = await Make.Batch();
        await using var deaf = new Spine(new(Test.ConnectionString));
        var follower = FollowAsync(batch, upTo: 3, deaf.Events);
        await AppendAsync(batch, "a");
        await Eventually.IsAsync(() => Task.FromResult(_seen >= 2), "the first is seen");
        await AppendAsync(batch, "b");
        (await follower).ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task Follower_that_comes_back_goes_on_after_its_last_number()
    {
        var batch = await Make.Batch();
        for (var i = 0; i < 1200; i += 100) await AppendAsync(batch, [.. Enumerable.Repeat("x", 100)]);
        (await FollowAsync(batch, upTo: 1201, from: 600)).ShouldBe(Enumerable.Range(601, 601).Select(i => (long)i));
    }

    [Fact]
    public async Task A_number_that_is_not_committed_yet_holds_back_those_behind_it()
    {
        var batch = await Make.Batch();
        await using var connection = await Worker.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ImportEvents.AppendAsync(connection, batch, [new("first")], CancellationToken.None);
        var second = AppendAsync(batch, "second");
        await Eventually.IsAsync(async () => await ScalarAsync<long>("SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted") > 0, "the second waits");
        second.IsCompleted.ShouldBeFalse();
        (await Spine.Events.ReadAsync(batch, 1, 10, CancellationToken.None)).ShouldBeEmpty();
        await transaction.CommitAsync();
        await second;
        (await Spine.Events.ReadAsync(batch, 1, 10, CancellationToken.None)).Select(e => e.Kind).ShouldBe(["first", "second"]);
    }

    [Theory]
    [InlineData("import_event", "UPDATE ingestion.import_event SET kind = 'x'")]
    [InlineData("import_event", "DELETE FROM ingestion.import_event")]
    [InlineData("import_event", "TRUNCATE ingestion.import_event")]
    [InlineData("audit_entry", "UPDATE ingestion.audit_entry SET who = 'x'")]
    [InlineData("audit_entry", "DELETE FROM ingestion.audit_entry")]
    [InlineData("audit_entry", "TRUNCATE ingestion.audit_entry")]
    public async Task Facts_refuse_change_by_grant_and_by_trigger(string table, string sql)
    {
        await Make.Batch();
        await ExecuteAsync("INSERT INTO ingestion.audit_entry (tenant_id, who, action, target) VALUES ('default', 'a', 'b', 'c')");
        (await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(sql))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
        var owner = await Should.ThrowAsync<PostgresException>(() => Database.Owner.QueryAsync<object>(sql));
        (owner.SqlState, owner.MessageText.Contains(table, StringComparison.Ordinal)).ShouldBe((PostgresErrorCodes.RestrictViolation, true));
    }

    [Fact]
    public async Task Pruning_is_the_owners_under_its_setting()
    {
        await Make.Batch();
        await using var owner = await Database.Owner.OpenConnectionAsync();
        await owner.QueryAsync<object>("SET ingestion.prune = 'on'");
        await owner.QueryAsync<object>("DELETE FROM ingestion.import_event");
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event")).ShouldBe(0);
        // The setting alone is not enough for anybody else.
        await Make.Batch();
        await using var worker = await Worker.OpenConnectionAsync();
        await worker.QueryAsync<object>("SET ingestion.prune = 'on'");
        await Should.ThrowAsync<PostgresException>(() => worker.QueryAsync<object>("DELETE FROM ingestion.import_event"));
        await worker.QueryAsync<object>("RESET ingestion.prune");
    }

    private long _last = long.MaxValue;
    private long _seen;

    // Two facts a transaction; some are rolled back. Returns how many.
    private async Task<int> WriteAsync(long batch)
    {
        var rolledBack = 0;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async w =>
        {
            for (var i = 0; i < Appends; i++)
            {
                await using var connection = await Worker.OpenConnectionAsync();
                await using var transaction = await connection.BeginTransactionAsync();
                await ImportEvents.AppendAsync(connection, batch, [new("a"), new("b", Data: $$"""{"w":{{w}}}""")], CancellationToken.None);
                if (i % 7 == 3)
                {
                    await transaction.RollbackAsync();
                    Interlocked.Increment(ref rolledBack);
                    continue;
                }
                await transaction.CommitAsync();
                Spine.Hub.Changed(batch);
            }
        }));
        return rolledBack;
    }

    private async Task AppendAsync(long batch, params string[] kinds)
    {
        await using var connection = await Worker.OpenConnectionAsync();
        await ImportEvents.AppendAsync(connection, batch, [.. kinds.Select(k => new NewEvent(k))], CancellationToken.None);
    }

    private async Task<List<long>> FollowAsync(long batch, long? upTo, ImportEvents? events = null, long from = 0)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var seen = new List<long>();
        await foreach (var e in (events ?? Spine.Events).FollowAsync(batch, from, deadline.Token))
        {
            seen.Add(e.Seq);
            Volatile.Write(ref _seen, e.Seq);
            if (e.Seq >= (upTo ?? Volatile.Read(ref _last))) break;
        }
        return seen;
    }
}
