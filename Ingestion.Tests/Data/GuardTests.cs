using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Data;

public sealed class GuardTests : DatabaseTest
{
    [Theory]
    [InlineData(TaskState.Succeeded)]
    [InlineData(TaskState.Failed)]
    [InlineData(TaskState.Cancelled)]
    public async Task Final_task_runs_refuse_changes(TaskState state)
    {
        await Make.Task(state: state);
        foreach (var sql in new[] { "UPDATE ingestion.import_task_run SET state = 'ready', finished_at = NULL", "UPDATE ingestion.import_task_run SET failures = 0", "DELETE FROM ingestion.import_task_run" })
            (await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(sql))).SqlState.ShouldBe(PostgresErrorCodes.RestrictViolation, sql);
    }

    [Fact]
    public async Task Attempts_never_go_back()
    {
        await Make.Task(state: TaskState.Running, attempt: 3);
        (await Should.ThrowAsync<PostgresException>(() => ExecuteAsync("UPDATE ingestion.import_task_run SET attempt = 2"))).SqlState.ShouldBe(PostgresErrorCodes.RestrictViolation);
    }

    [Theory]
    [InlineData("UPDATE ingestion.import_task_run SET lease_until = NULL", "running_has_lease")]
    [InlineData("UPDATE ingestion.import_task_run SET state = 'ready'", "running_has_lease")]
    [InlineData("UPDATE ingestion.import_task_run SET state = 'failed', lease_until = NULL", "final_has_timestamp")]
    [InlineData("UPDATE ingestion.import_task_run SET failures = 9", "counts_are_counts")]
    [InlineData("UPDATE ingestion.import_item SET state = 'done'", "item_final_has_time")]
    [InlineData("UPDATE ingestion.import_item SET state = 'failed', completed_at = now()", "item_failed_has_code")]
    [InlineData("UPDATE ingestion.import_item SET progress_current = 2, progress_total = 1", "item_progress_in_bounds")]
    [InlineData("UPDATE ingestion.import_batch SET state = 'completed'", "batch_final_has_time")]
    [InlineData("UPDATE ingestion.import_batch SET draft = true", "batch_draft_is_pending")]
    public async Task Tables_refuse_nonsense(string sql, string constraint)
    {
        await Make.Task(state: TaskState.Running);
        (await Should.ThrowAsync<PostgresException>(() => ExecuteAsync(sql))).ConstraintName.ShouldBe(constraint);
    }

    [Fact]
    public async Task One_open_task_an_item()
    {
        var task = await Make.Task();
        (await Should.ThrowAsync<PostgresException>(() => Make.Task(task.BatchId, item: task.ItemId))).ConstraintName.ShouldBe("import_task_run_one_open_per_item");
    }

    [Fact]
    public async Task Rows_of_two_tenants_cannot_be_joined()
    {
        await Make.OtherTenant("other");
        var foreign = await Make.Item(await Make.Batch(tenant: "other"));
        var batch = await Make.Batch();
        (await Should.ThrowAsync<PostgresException>(() => Make.Task(batch, item: foreign))).SqlState.ShouldBe(PostgresErrorCodes.ForeignKeyViolation);
    }

    [Fact]
    public void Model_and_migrations_agree()
    {
        using var db = new IngestionDb(Contexts.Options(Database.Owner).Options);
        db.Database.HasPendingModelChanges().ShouldBeFalse();
    }
}
