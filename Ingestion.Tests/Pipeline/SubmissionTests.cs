using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class SubmissionTests : DatabaseTest
{
    private static readonly SubmissionRequest Request = new("Batch") { Urls = [new("https://example.org/a"), new("https://example.org/b")] };

    [Fact]
    public async Task Submission_makes_batch_items_tasks_and_numbered_events()
    {
        var made = await SubmitAsync(Request);
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch WHERE id = $1", made.BatchId)).ShouldBe("running");
        (await Spine.ClaimAsync()).Count.ShouldBe(2);
        (await QueryAsync<string>("SELECT seq || ' ' || kind FROM ingestion.import_event ORDER BY seq")).ShouldBe(["1 batch_submitted", "2 items_discovered", "3 batch_started"]);
        (await ScalarAsync<string>("SELECT who || ' ' || action FROM ingestion.audit_entry")).ShouldBe("test submit");
    }

    [Fact]
    public async Task Batch_that_its_client_starts_waits_for_it()
    {
        var made = await SubmitAsync(Request with { AutoStart = false });
        (await ScalarAsync<string>("SELECT state FROM ingestion.import_batch")).ShouldBe("pending");
        (await Spine.ClaimAsync()).ShouldBeEmpty();
        (await Spine.Control.StartAsync(Make.Actor, made.BatchId, CancellationToken.None)).Done.ShouldBeTrue();
        await Spine.Duties.ActivateAsync(CancellationToken.None);
        (await Spine.ClaimAsync()).Count.ShouldBe(2);
    }

    [Fact]
    public async Task The_same_address_twice_is_one_item_and_an_address_of_any_length_is_one_too()
    {
        var longOne = "https://example.org/" + string.Concat(Enumerable.Range(0, 900).Select(_ => Guid.NewGuid().ToString("n")[..10]));
        await SubmitAsync(Request with { Urls = [new("https://example.org/a"), new("https://example.org/a"), new(longOne), new(longOne + "x")] });
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_item")).ShouldBe(3);
    }

    [Fact]
    public async Task Two_manifests_that_name_one_address_in_the_same_row_keep_both_rows()
    {
        var batch = await Make.Batch();
        foreach (var input in new[] { await Make.Input(batch), await Make.Input(batch) })
        {
            await using var connection = await Worker.OpenConnectionAsync();
            (await LaunchItems.FromListingAsync(connection, new(input, batch, "default", "manifest", null, "{}", null),
                [new("https://example.org/shared", 5, "x", new Dictionary<string, string>())], "5", CancellationToken.None)).Count.ShouldBe(1);
        }
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_task_run WHERE state = 'ready'")).ShouldBe(2);
    }

    [Fact]
    public async Task Files_whose_paths_differ_only_in_composition_are_two_items()
    {
        foreach (var (id, path) in new[] { ("up_1", "u\u0308ber.txt"), ("up_2", "\u00fcber.txt") })
            await ExecuteAsync("""
                INSERT INTO ingestion.upload (tenant_id, public_id, purpose, path, size, received, sha256, metadata, created_by, completed_at)
                VALUES ('default', $1, 'file', $2, 1, 1, repeat('a', 64), '{}', 'test', now())
                """, id, path);
        await SubmitAsync(new("Files") { Uploads = ["up_1", "up_2"] });
        (await ScalarAsync<long>("SELECT count(DISTINCT upload_id) FROM ingestion.import_item")).ShouldBe(2);
    }

    [Fact]
    public async Task Too_many_items_create_nothing()
    {
        Spine.Options.MaxItemsPerBatch = 1;
        (await Should.ThrowAsync<IngestionException>(() => SubmitAsync(Request))).Code.ShouldBe(ErrorCodes.TooManyItems);
        await NothingAsync();
    }

    [Fact]
    public async Task Empty_and_unknown_create_nothing()
    {
        (await Should.ThrowAsync<IngestionException>(() => SubmitAsync(new("Empty")))).Code.ShouldBe(ErrorCodes.InvalidOption);
        (await Should.ThrowAsync<IngestionException>(() => SubmitAsync(Request with { Collection = "nowhere" }))).Code.ShouldBe(ErrorCodes.InvalidOption);
        (await Should.ThrowAsync<IngestionException>(() => SubmitAsync(Request with { Uploads = ["up_unknown"] }))).Code.ShouldBe(ErrorCodes.MissingFile);
        await NothingAsync();
    }

    [Fact]
    public async Task Same_key_and_body_gives_the_first_answer()
    {
        var first = await SubmitAsync(Request, new("key", [1]));
        var second = await SubmitAsync(Request, new("key", [1]));
        second.ShouldBe(first with { Repeated = true });
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_batch")).ShouldBe(1);
    }

    [Fact]
    public async Task Same_key_with_another_body_is_refused()
    {
        await SubmitAsync(Request, new("key", [1]));
        await Should.ThrowAsync<IdempotencyConflictException>(() => SubmitAsync(Request, new("key", [2])));
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_batch")).ShouldBe(1);
    }

    [Fact]
    public async Task Same_key_of_another_caller_or_after_a_day_is_a_new_one()
    {
        var first = await SubmitAsync(Request, new("key", [1]));
        var other = await Spine.Submission.SubmitAsync(Make.Actor with { Name = "other" }, Request, new("key", [2]), CancellationToken.None);
        other.BatchId.ShouldNotBe(first.BatchId);
        await ExecuteAsync("UPDATE ingestion.idempotency_key SET created_at = created_at - interval '25 hours'");
        (await SubmitAsync(Request, new("key", [2]))).Repeated.ShouldBeFalse();
    }

    [Fact]
    public async Task Same_key_in_parallel_makes_one_batch()
    {
        var made = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => SubmitAsync(Request, new("key", [1]))));
        made.Select(m => m.PublicId).Distinct().ShouldHaveSingleItem();
        made.Count(m => !m.Repeated).ShouldBe(1);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_item")).ShouldBe(2);
    }

    [Fact]
    public async Task A_draft_is_launched_once()
    {
        var draft = await Make.Batch(BatchState.Pending, draft: true);
        await ExecuteAsync("DELETE FROM ingestion.import_job");
        await new Drafts(Worker).SetUrlsAsync(Make.Actor, draft, Request.Urls, CancellationToken.None);
        var launched = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Spine.Submission.LaunchDraftAsync(Make.Actor, draft, CancellationToken.None)));
        launched.Count(l => l).ShouldBe(1);
        (await new Drafts(Worker).DiscardAsync(Make.Actor, draft, CancellationToken.None)).ShouldBeFalse();
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_item")).ShouldBe(2);
    }

    private Task<Submitted> SubmitAsync(SubmissionRequest request, Idempotency? key = null) => Spine.Submission.SubmitAsync(Make.Actor, request, key, CancellationToken.None);

    private async Task NothingAsync()
    {
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_batch")).ShouldBe(0);
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.audit_entry")).ShouldBe(0);
    }
}
