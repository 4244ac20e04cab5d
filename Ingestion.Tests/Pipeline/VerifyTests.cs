using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Verify;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

/// <summary>Every invariant finds what breaks it, in a batch where nothing else is wrong.</summary>
public sealed class VerifyTests : DatabaseTest
{
    private const string Event = "INSERT INTO ingestion.import_event (batch_id, seq, tenant_id, kind, item_id, task_id, stage, data) SELECT b.id, s.seq + 1, b.tenant_id, ";
    private const string Batch = "FROM ingestion.import_batch b JOIN ingestion.import_batch_seq s ON s.batch_id = b.id; UPDATE ingestion.import_batch_seq SET seq = seq + 1;";

    private const string Webhook = "INSERT INTO ingestion.webhook_endpoint (tenant_id, public_id, url, events, concurrency, created_by, created_at) VALUES ('default', 'whk_a', 'https://example.org/', '{job.done}', 2, 'test', now() - interval '1 hour')";
    private const string Delivery = "INSERT INTO ingestion.webhook_delivery (tenant_id, public_id, endpoint_id, event, run, payload, state, attempt, failures, created_at, ended_at) SELECT 'default', 'msg_a', id, 'webhook.test', 0, '{}', 'delivered', 1, 0, now(), now() FROM ingestion.webhook_endpoint";

    /// <summary>The check, and how its invariant is broken.</summary>
    public static TheoryData<string, string> Breaks => new()
    {
        { "upload_has_one_item", "UPDATE ingestion.import_item SET upload_id = NULL" },
        { "address_has_one_item", "DELETE FROM ingestion.import_item WHERE source_key LIKE '%good'" },
        { "listed_row_has_one_item", "UPDATE ingestion.import_input SET discovered = 7 WHERE source_type = 'manifest'" },
        { "open_item_has_open_task", "UPDATE ingestion.import_item SET state = 'open', completed_at = NULL WHERE source_key LIKE '%good'" },
        { "open_input_has_open_task", "UPDATE ingestion.import_input SET state = 'open', completed_at = NULL WHERE source_type = 'manifest'" },
        { "open_task_has_open_item", "UPDATE ingestion.import_task_run SET state = 'ready', finished_at = NULL WHERE stage = 'embed'" },
        { "task_belongs_to_its_job", "UPDATE ingestion.import_task_run SET batch_id = 99 WHERE stage = 'embed'" },
        { "ended_batch_is_idle", "UPDATE ingestion.import_task_run SET state = 'ready', finished_at = NULL WHERE stage = 'index'" },
        { "unended_batch_has_work", "UPDATE ingestion.import_batch SET state = 'running', completed_at = NULL" },
        { "cancel_is_carried_out", "UPDATE ingestion.import_batch SET state = 'running', desired_state = 'cancel', completed_at = NULL; UPDATE ingestion.import_event SET at = at - interval '1 hour'" },
        { "batch_has_its_jobs", "UPDATE ingestion.import_job SET active = true" },
        { "frozen_counts_add_up", "UPDATE ingestion.import_batch SET final_counts = jsonb_set(final_counts, '{Done}', '17')" },

        { "review_has_blocked_task", "INSERT INTO ingestion.review_item (tenant_id, collection_id, batch_id, item_id, state) SELECT i.tenant_id, b.collection_id, b.id, i.id, 'open' FROM ingestion.import_item i JOIN ingestion.import_batch b ON b.id = i.batch_id LIMIT 1" },

        { "chunk_ordinal_is_unique", "DROP INDEX ingestion.ix_chunk_document_version_id_ordinal; UPDATE ingestion.chunk SET ordinal = 0" },
        { "source_content_is_unique", "DROP INDEX ingestion.ix_source_version_source_id_sha256; UPDATE ingestion.source_version SET source_id = 1, sha256 = repeat('b', 64)" },
        { "source_is_unique", "DROP INDEX ingestion.source_place; UPDATE ingestion.source SET source_key = 'x', source_type = 'url'" },
        { "version_has_its_chunks", "DELETE FROM ingestion.chunk WHERE ordinal = 1" },
        { "published_chunk_has_words", "DELETE FROM ingestion.chunk_fts" },
        { "published_chunk_has_vector", "DELETE FROM ingestion.chunk_vector" },
        { "vector_has_its_dimensions", "UPDATE ingestion.embedding_generation SET dimensions = 3" },
        { "done_item_was_published", "DELETE FROM ingestion.publication" },
        { "chunk_belongs_to_a_version", "UPDATE ingestion.chunk SET document_version_id = 99 WHERE document_version_id = (SELECT min(id) FROM ingestion.document_version)" },
        { "words_belong_to_a_chunk", "UPDATE ingestion.chunk_fts SET document_version_id = 99" },
        { "vector_belongs_to_a_chunk", "UPDATE ingestion.chunk_vector SET text_hash = sha256(text_hash)" },
        { "artifact_belongs_to_a_version", "UPDATE ingestion.source_version SET raw_uri = 'file:///elsewhere'" },
        { "version_has_live_artifacts", "UPDATE ingestion.artifact SET live = false" },
        { "content_is_claimed_by_open_items", "INSERT INTO ingestion.content_claim SELECT tenant_id, 1, 'x', id FROM ingestion.import_item LIMIT 1" },

        { "pruned_events_add_up", "INSERT INTO ingestion.pruned_batch (batch_id, tenant_id, last_seq, events, events_pruned_at) SELECT id, tenant_id, 5, '{\"item_done\":2}', now() FROM ingestion.import_batch" },
        { "numbers_have_no_gaps", "DELETE FROM ingestion.import_event WHERE seq = 3" },
        { "events_belong_to_a_batch", "UPDATE ingestion.import_event SET tenant_id = 'other' WHERE seq = 3" },
        { "log_folds_to_items", Event + "'item_done', (SELECT id FROM ingestion.import_item WHERE state = 'failed'), NULL, NULL, NULL " + Batch },
        { "log_folds_to_tasks", "UPDATE ingestion.import_task_run SET state = 'cancelled' WHERE stage = 'embed'" },
        { "log_folds_to_failures", "UPDATE ingestion.import_task_run SET failures = 1, attempt = 2 WHERE stage = 'embed'" },
        { "nothing_follows_an_end", Event + "'attempt_failed', NULL, (SELECT min(id) FROM ingestion.import_task_run), 'acquire', '{\"attempt\":1}' " + Batch },
        { "attempts_never_go_back", "UPDATE ingestion.import_event SET data = data || '{\"attempt\":9}' WHERE kind = 'attempt_failed'" },
        { "log_folds_to_batches", "UPDATE ingestion.import_batch SET state = 'failed'" },

        { "failures_stay_in_budget", "UPDATE ingestion.import_batch SET options = options || '{\"max_retries\":0}'" },
        { "crashes_are_quarantined", "UPDATE ingestion.import_task_run SET crashes = 4, attempt = 9" },
        { "attempts_cover_failures", "UPDATE ingestion.import_task_run SET attempt = 0 WHERE stage = 'parse'" },
        { "stage_succeeds_once_a_run", "UPDATE ingestion.import_task_run SET stage = 'parse' WHERE stage = 'embed'" },
        { "expired_lease_is_taken_back", """
            UPDATE ingestion.import_task_run SET state = 'running', finished_at = NULL, lease_until = now() - interval '1 day' WHERE stage = 'embed';
            INSERT INTO ingestion.worker_process (id, host, pid, role, version) VALUES ('w', 'h', 1, 'both', '1')
            """ },
        { "running_task_has_a_worker", "UPDATE ingestion.import_task_run SET state = 'running', finished_at = NULL, lease_until = now(), worker = NULL WHERE stage = 'embed'" },
        { "ending_reached_its_webhooks", Webhook },
        { "delivery_goes_on_or_has_ended", $"{Webhook}; {Delivery}; ALTER TABLE ingestion.webhook_delivery DROP CONSTRAINT delivery_pending_has_next; UPDATE ingestion.webhook_delivery SET next_at = now()" },
        { "delivered_was_answered", $"{Webhook}; {Delivery}" },
        { "delivery_ids_are_unique", $"DROP INDEX ingestion.ix_webhook_delivery_public_id; {Webhook}; {Delivery}; {Delivery}" },
        { "progress_stays_in_bounds", "ALTER TABLE ingestion.import_item DROP CONSTRAINT item_progress_in_bounds; UPDATE ingestion.import_item SET progress_current = 5, progress_total = 4" },
        { "percentages_follow_from_items", "UPDATE ingestion.import_batch SET final_counts = jsonb_set(final_counts, '{Acquired}', '1')" },
    };

    [Theory]
    [MemberData(nameof(Breaks))]
    public async Task Broken_row_is_found_by_its_check(string check, string sql)
    {
        using var folder = new TemporaryDirectory();
        var batch = await FinishedBatch.CreateAsync(Spine, folder.Path);
        await BreakAsync(sql);
        var result = (await batch.Verification.RunAsync(new(), CancellationToken.None)).Checks.Single(c => c.Name == check);
        result.Count.ShouldBeGreaterThan(0);
        result.First.ShouldNotBeEmpty();
        result.First.ShouldAllBe(v => v.Sentence.EndsWith('.') && v.Subject.Length > 0);
    }

    [Fact]
    public async Task Finished_batch_has_no_violation_and_every_check_has_a_test_that_breaks_it()
    {
        using var folder = new TemporaryDirectory();
        var batch = await FinishedBatch.CreateAsync(Spine, folder.Path);
        var report = await batch.Verification.RunAsync(new(), CancellationToken.None);
        report.Checks.Where(c => c.Count > 0).SelectMany(c => c.First).ShouldBeEmpty();
        (report.Clean, report.Notes.Count).ShouldBe((true, 0));
        report.Checks.Select(c => c.Name).Except(Breaks.Select(b => (string)b[0])).Except(FileBreaks.Select(b => (string)b[0])).ShouldBeEmpty();
        report.Checks.Select(c => (c.Invariant, c.Name)).Order().ShouldBe(CheckCatalog.All.Select(c => (c.Invariant, c.Name)).Order());
        CheckCatalog.All.ShouldAllBe(c => c.Meaning.EndsWith('.') && CheckCatalog.Invariants.ContainsKey(c.Invariant));
        report.Checks.Select(c => c.Invariant).Distinct().ShouldBe(["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8"]);
        (await ScalarAsync<string>("SELECT state || (final_counts ->> 'Done') || (final_counts ->> 'Failed') FROM ingestion.import_batch")).ShouldBe("completed31");
    }

    public static TheoryData<string, bool> FileBreaks => new()
    {
        { "artifact_file_exists", true }, { "artifact_file_is_unchanged", false }, { "file_has_a_row", true }, { "published_names_hold_what_is_published", true }, { "upload_file_exists", true },
    };

    /// <param name="quick">Whether comparing lengths is enough to find it.</param>
    [Theory]
    [MemberData(nameof(FileBreaks))]
    public async Task Broken_file_is_found_by_its_check(string check, bool quick)
    {
        using var folder = new TemporaryDirectory();
        var batch = await FinishedBatch.CreateAsync(Spine, folder.Path);
        var raw = Directory.GetFiles(folder.Path, "raw.bin", SearchOption.AllDirectories)[0];
        switch (check)
        {
            case "artifact_file_exists":
                File.Delete(raw);
                break;
            case "artifact_file_is_unchanged":
                var bytes = await File.ReadAllBytesAsync(raw);
                bytes[0] ^= 1;
                await File.WriteAllBytesAsync(raw, bytes);
                break;
            case "file_has_a_row":
                await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(raw)!, "stranger.bin"), "?");
                break;
            case "published_names_hold_what_is_published":
                File.Delete(Path.Combine(Path.GetDirectoryName(raw)!, "normalized.md"));
                break;
            default:
                File.Delete(batch.Uploads.PathOf("up_list"));
                break;
        }
        (await FindAsync(batch, check, quick: false)).ShouldBe(1);
        (await FindAsync(batch, check, quick: true)).ShouldBe(quick ? 1 : 0);
    }

    [Fact]
    public async Task Names_that_hold_something_else_are_found()
    {
        using var folder = new TemporaryDirectory();
        var batch = await FinishedBatch.CreateAsync(Spine, folder.Path);
        var name = Directory.GetFiles(folder.Path, "normalized.md", SearchOption.AllDirectories).First(f => !f.Contains("/artifacts/1/", StringComparison.Ordinal) && Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(f)))! != "artifacts");
        await File.WriteAllTextAsync(name, "older");
        (await FindAsync(batch, "published_names_hold_what_is_published", quick: false)).ShouldBe(1);
    }

    [Fact]
    public async Task Repair_mends_names_dead_files_stuck_batches_and_expired_leases()
    {
        using var folder = new TemporaryDirectory();
        var batch = await FinishedBatch.CreateAsync(Spine, folder.Path);
        var raw = Directory.GetFiles(folder.Path, "raw.bin", SearchOption.AllDirectories)[0];
        File.Delete(Path.Combine(Path.GetDirectoryName(raw)!, "normalized.md"));
        var stranger = Path.Combine(Path.GetDirectoryName(raw)!, "stranger.bin");
        await File.WriteAllTextAsync(stranger, "?");
        await BreakAsync("""
            UPDATE ingestion.import_batch SET state = 'running', completed_at = NULL;
            UPDATE ingestion.import_job SET active = true;
            DELETE FROM ingestion.import_event WHERE kind = 'batch_completed';
            UPDATE ingestion.import_batch_seq SET seq = seq - 1;
            """);
        (await batch.Verification.RunAsync(new(), CancellationToken.None)).Violations.ShouldBe(3);

        var report = await batch.Verification.RunAsync(new(Repair: true), CancellationToken.None);

        report.Checks.Where(c => c.Count > 0).SelectMany(c => c.First).ShouldBeEmpty();
        report.Repairs.Count.ShouldBe(3);
        File.Exists(stranger).ShouldBeFalse();
        File.Exists(raw).ShouldBeTrue();
    }

    /// <summary>A check with a repair, and a break that the repair mends wholly.</summary>
    public static TheoryData<string, string> Mended => new()
    {
        { "batch_has_its_jobs", "UPDATE ingestion.import_job SET active = true" },
        { "content_is_claimed_by_open_items", "INSERT INTO ingestion.content_claim SELECT tenant_id, 1, 'x', id FROM ingestion.import_item LIMIT 1" },
        { "unended_batch_has_work", """
            UPDATE ingestion.import_batch SET state = 'running', completed_at = NULL;
            UPDATE ingestion.import_job SET active = true;
            DELETE FROM ingestion.import_event WHERE kind = 'batch_completed';
            UPDATE ingestion.import_batch_seq SET seq = seq - 1;
            """ },
        { "cancel_is_carried_out", """
            UPDATE ingestion.import_batch SET state = 'running', desired_state = 'cancel', completed_at = NULL;
            DELETE FROM ingestion.import_event WHERE kind = 'batch_completed';
            UPDATE ingestion.import_batch_seq SET seq = seq - 1;
            UPDATE ingestion.import_event SET at = at - interval '1 hour';
            """ },
        { "expired_lease_is_taken_back", """
            INSERT INTO ingestion.import_task_run (tenant_id, batch_id, job_id, item_id, stage, state, attempt, failures, crashes, scheduled_at, lease_until, worker, claimed_at)
            SELECT i.tenant_id, i.batch_id, j.id, i.id, 'acquire', 'running', 1, 0, 0, now(), now() - interval '1 day', 'w', now()
            FROM ingestion.import_item i JOIN ingestion.import_job j ON j.batch_id = i.batch_id AND j.stage = 'acquire' WHERE i.state = 'failed';
            UPDATE ingestion.import_item SET state = 'open', stage = 'acquire', completed_at = NULL, error_code = NULL WHERE state = 'failed';
            UPDATE ingestion.import_batch SET state = 'retrying', completed_at = NULL, final_counts = NULL;
            UPDATE ingestion.import_job SET active = true;
            INSERT INTO ingestion.import_event (batch_id, seq, tenant_id, kind) SELECT batch_id, seq + 1, tenant_id, 'batch_retried' FROM ingestion.import_batch_seq;
            INSERT INTO ingestion.import_event (batch_id, seq, tenant_id, kind, item_id) SELECT s.batch_id, s.seq + 2, s.tenant_id, 'item_retried', i.id FROM ingestion.import_batch_seq s JOIN ingestion.import_item i ON i.state = 'open';
            UPDATE ingestion.import_batch_seq SET seq = seq + 2;
            INSERT INTO ingestion.worker_process (id, host, pid, role, version) VALUES ('v', 'h', 1, 'both', '1');
            """ },
    };

    [Theory]
    [MemberData(nameof(Mended))]
    public async Task Repair_of_one_check_mends_it_alone_and_is_an_audit_entry(string check, string sql)
    {
        using var folder = new TemporaryDirectory();
        var batch = await FinishedBatch.CreateAsync(Spine, folder.Path);
        await BreakAsync(sql);
        (await FindAsync(batch, check, quick: true)).ShouldBeGreaterThan(0);
        var told = new List<string>();

        var report = await batch.Verification.RunAsync(new(Quick: true, Repair: true, Only: check, By: new("default", "ada")), CancellationToken.None, new Told(told));

        report.Checks.Where(c => c.Count > 0).SelectMany(c => c.First).ShouldBeEmpty();
        report.Repairs.ShouldHaveSingleItem();
        (await QueryAsync<string>("SELECT who || ' ' || target FROM ingestion.audit_entry WHERE action = 'repair'")).ShouldBe([$"ada check {check}"]);
        told.Count.ShouldBe(2 * CheckCatalog.All.Count, "each check is told in both looks");
    }

    [Fact]
    public async Task Repair_leaves_what_it_was_not_asked_for_and_what_needs_a_person()
    {
        using var folder = new TemporaryDirectory();
        var batch = await FinishedBatch.CreateAsync(Spine, folder.Path);
        await BreakAsync("UPDATE ingestion.import_job SET active = true; UPDATE ingestion.import_item SET upload_id = NULL");
        var report = await batch.Verification.RunAsync(new(Quick: true, Repair: true, Only: "upload_has_one_item"), CancellationToken.None);
        (report.Repairs.Count, report.Violations).ShouldBe((0, 2));
    }

    private sealed class Told(List<string> names) : IProgress<CheckResult>
    {
        public void Report(CheckResult value) => names.Add(value.Name);
    }

    [Fact]
    public async Task What_dead_processes_hold_is_a_note_while_nobody_could_take_it_back()
    {
        using var folder = new TemporaryDirectory();
        var batch = await FinishedBatch.CreateAsync(Spine, folder.Path);
        await Make.Task(state: TaskState.Running, lease: TimeSpan.FromHours(-1));
        await ExecuteAsync("INSERT INTO ingestion.import_event (batch_id, seq, tenant_id, kind) SELECT max(batch_id), 2, 'default', 'batch_started' FROM ingestion.import_event");
        await ExecuteAsync("UPDATE ingestion.import_batch_seq SET seq = 2 WHERE batch_id = (SELECT max(batch_id) FROM ingestion.import_event)");
        var report = await batch.Verification.RunAsync(new(), CancellationToken.None);
        report.Checks.Where(c => c.Count > 0).SelectMany(c => c.First).ShouldBeEmpty();
        report.Notes.ShouldHaveSingleItem().ShouldContain("1 tasks are held by processes that have ended");
    }

    [Fact]
    public async Task While_batches_run_the_recount_is_exact()
    {
        using var folder = new TemporaryDirectory();
        var finished = await FinishedBatch.CreateAsync(Spine, folder.Path);
        var request = new SubmissionRequest("Running") { Urls = [.. Enumerable.Range(0, 60).Select(i => new UrlEntry($"https://example.org/{i}"))], Options = new() { MaxWorkers = 64 } };
        var working = Task.Run(async () =>
        {
            for (var round = 0; round < 3; round++)
            {
                var made = await Spine.Submission.SubmitAsync(Make.Actor, request, null, CancellationToken.None);
                // Failing is an end that leaves no content to account for.
                for (var failed = 0; failed < 60;)
                    foreach (var task in await Spine.ClaimAsync(limit: 5))
                    {
                        await Spine.FailAsync(task, ErrorCodes.NotFound);
                        failed++;
                    }
                await Spine.Control.PauseAsync(Make.Actor, made.BatchId, CancellationToken.None);
            }
        });
        var looks = 0;
        for (; !working.IsCompleted || looks == 0; looks++)
            (await finished.Verification.RunAsync(new(Quick: true), CancellationToken.None)).Checks.Where(c => c.Count > 0).SelectMany(c => c.First).ShouldBeEmpty($"look {looks}");
        await working;
    }

    private static async Task<long> FindAsync(FinishedBatch batch, string check, bool quick) =>
        (await batch.Verification.RunAsync(new(quick), CancellationToken.None)).Checks.Single(c => c.Name == check).Count;
}
