using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Verify;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class BatchDeleteTests : DatabaseTest
{
    private const string Published = "SELECT count(*) FROM (SELECT DISTINCT document_id FROM ingestion.publication WHERE revoked_at IS NULL) d";
    private readonly TemporaryDirectory _folder = new();

    [Fact]
    public async Task What_runs_is_cancelled_and_the_batch_leaves_every_list()
    {
        var batch = await Make.Batch();
        var running = await Make.Task(batch, TaskState.Running);
        await Make.Task(batch);
        (await DeleteAsync(batch)).ShouldBe(new(true, "Deleted. What it published stays searchable."));
        (await ScalarAsync<bool>("SELECT deleted_at IS NOT NULL AND state = 'cancelled' FROM ingestion.import_batch")).ShouldBeTrue();
        (await QueryAsync<string>("SELECT DISTINCT state FROM ingestion.import_item")).ShouldBe(["cancelled"]);
        (await Spine.DoneAsync(running)).ShouldBeFalse();
        (await QueryAsync<string>("SELECT action FROM ingestion.audit_entry ORDER BY id")).ShouldBe(["cancel", "delete"]);
        (await QueryAsync<string>("SELECT kind FROM ingestion.import_event WHERE kind LIKE 'batch%' ORDER BY seq")).ShouldBe(["batch_submitted", "batch_cancelled", "batch_deleted"]);
        (await DeleteAsync(batch)).Message.ShouldBe("There is no such batch.");
        (await Spine.Retry.RetryAsync(Make.Actor, batch, RetryScope.All, null, null, default)).Done.ShouldBeFalse();
    }

    [Theory]
    [InlineData(false, 3)]
    [InlineData(true, 0)]
    public async Task Published_documents_stay_unless_they_are_wanted_gone(bool remove, long left)
    {
        var made = await FinishedBatch.CreateAsync(Spine, _folder.Path);
        var batch = await ScalarAsync<long>("SELECT id FROM ingestion.import_batch");
        (await Spine.Deletion.CountAloneAsync(Make.Tenant, batch, default)).ShouldBe(3);
        (await Spine.Deletion.CountAloneAsync("elsewhere", batch, default)).ShouldBe(0);
        (await DeleteAsync(batch, remove)).Message.ShouldBe(remove ? "Deleted, with 3 documents that only this batch published." : "Deleted. What it published stays searchable.");
        (await ScalarAsync<long>(Published)).ShouldBe(left);
        var report = await made.Verification.RunAsync(new VerifyRequest(), default);
        report.Checks.SelectMany(c => c.First).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_another_batch_published_or_skipped_as_known_is_kept()
    {
        await FinishedBatch.CreateAsync(Spine, _folder.Path);
        var batch = await ScalarAsync<long>("SELECT id FROM ingestion.import_batch");
        var other = await Make.Batch(BatchState.Completed);
        var documents = await QueryAsync<long>("SELECT document_id FROM ingestion.publication ORDER BY id");
        await ExecuteAsync("INSERT INTO ingestion.publication (tenant_id, document_id, document_version_id, batch_id) SELECT tenant_id, document_id, document_version_id, $2 FROM ingestion.publication WHERE document_id = $1", documents[0], other);
        var skipped = await Make.Item(other, ItemState.Skipped);
        await ExecuteAsync("UPDATE ingestion.import_item SET source_version_id = (SELECT v.source_version_id FROM ingestion.document_version v WHERE v.document_id = $2) WHERE id = $1", skipped, documents[1]);
        await DeleteAsync(batch, removeDocuments: true);
        (await QueryAsync<long>("SELECT DISTINCT document_id FROM ingestion.publication WHERE revoked_at IS NULL ORDER BY 1")).ShouldBe(documents.Take(2));
    }

    [Fact]
    public async Task What_waited_for_a_review_is_cancelled_with_it()
    {
        var batch = await Make.Batch(BatchState.Completed);
        await Make.Task(batch, TaskState.Blocked);
        (await DeleteAsync(batch)).Done.ShouldBeTrue();
        (await ScalarAsync<string>("SELECT state || ' ' || error_message FROM ingestion.import_item")).ShouldBe("cancelled Its batch was deleted.");
    }

    [Fact]
    public async Task A_draft_and_a_foreign_batch_are_not_deleted()
    {
        var draft = await Make.Batch(BatchState.Pending, draft: true);
        (await DeleteAsync(draft)).Done.ShouldBeFalse();
        await Make.OtherTenant("other");
        var foreign = await Make.Batch(tenant: "other");
        (await DeleteAsync(foreign)).Message.ShouldBe("There is no such batch.");
        (await ScalarAsync<long>("SELECT count(*) FROM ingestion.import_batch WHERE deleted_at IS NOT NULL OR desired_state = 'cancel'")).ShouldBe(0);
    }

    private Task<ControlResult> DeleteAsync(long batch, bool removeDocuments = false) => Spine.Deletion.DeleteAsync(Make.Actor, batch, removeDocuments, CancellationToken.None);
}
