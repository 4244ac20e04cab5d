using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

/// <summary>The commit happened and its reply was lost: the effects are there once, and whoever asks again finds them.</summary>
public sealed class AmbiguousCommitTests : DatabaseTest
{
    [Theory]
    [InlineData(Stage.Acquire, false)]
    [InlineData(Stage.Acquire, true)]
    [InlineData(Stage.Index, false)]
    [InlineData(Stage.Discover, false)]
    public async Task Settling_well_counts_once_and_says_so(Stage stage, bool withSave)
    {
        await using var proxy = new PostgresProxy(Test.ConnectionString);
        await using var spine = new Spine(new Database(proxy.ConnectionString));
        var task = await Make.Task(state: TaskState.Running, stage: stage);
        proxy.LoseNextCommitReply();
        (await spine.DoneAsync(task, withSave ? (connection, _) => connection.QueryAsync<object>("INSERT INTO ingestion.host_budget (host, next_at) VALUES ('saved', now())") : null)).ShouldBeTrue();
        proxy.Lost.ShouldBe(1);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'stage_done'")).ShouldBe(1);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run")).ShouldBe(stage == Stage.Acquire ? 2 : 1);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.host_budget")).ShouldBe(withSave ? 1 : 0);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'batch_completed'")).ShouldBe(stage == Stage.Acquire ? 0 : 1);
    }

    [Fact]
    public async Task Failing_is_charged_once()
    {
        await using var proxy = new PostgresProxy(Test.ConnectionString);
        await using var spine = new Spine(new Database(proxy.ConnectionString));
        var task = await Make.Task(state: TaskState.Running);
        proxy.LoseNextCommitReply();
        await spine.FailAsync(task, ErrorCodes.NetworkError);
        proxy.Lost.ShouldBe(1);
        (await ScalarAsync<string>("SELECT state || ' ' || failures FROM ingestion.import_task_run")).ShouldBe("ready 1");
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE kind = 'attempt_failed'")).ShouldBe(1);
    }

    [Fact]
    public async Task Submitting_again_with_the_same_key_finds_the_batch()
    {
        await using var proxy = new PostgresProxy(Test.ConnectionString);
        await using var spine = new Spine(new Database(proxy.ConnectionString));
        var request = new SubmissionRequest("Once") { Urls = [new("https://example.org/a")] };
        proxy.LoseNextCommitReply();
        await Should.ThrowAsync<NpgsqlException>(() => spine.Submission.SubmitAsync(Make.Actor, request, new("key", [1]), CancellationToken.None));
        proxy.Lost.ShouldBe(1);
        (await spine.Submission.SubmitAsync(Make.Actor, request, new("key", [1]), CancellationToken.None)).Repeated.ShouldBeTrue();
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_batch")).ShouldBe(1);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_item")).ShouldBe(1);
    }
}
