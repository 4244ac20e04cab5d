using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Data;

/// <summary>A process that falls silent in the middle of a transaction keeps nobody from going on.</summary>
public sealed class SilentTransactionTests : DatabaseTest
{
    [Fact]
    public async Task What_a_silent_transaction_holds_is_given_back_and_its_end_is_transient()
    {
        var task = await Make.Task(state: TaskState.Running);
        const string hold = "SELECT 1 FROM ingestion.import_task_run WHERE id = $1 FOR UPDATE";
        await using var database = new Database(Test.ConnectionString, silence: TimeSpan.FromMilliseconds(300));
        await using var silent = await database.Worker.OpenConnectionAsync();
        await using var transaction = await silent.BeginTransactionAsync();
        await silent.QueryAsync<object>(hold, task.Id);
        (await QueryAsync<object>($"{hold} SKIP LOCKED", task.Id)).ShouldBeEmpty();

        // It waits for the lock, which nobody gives back but the server.
        (await QueryAsync<object>(hold, task.Id)).ShouldHaveSingleItem();
        var end = await Should.ThrowAsync<NpgsqlException>(() => silent.QueryAsync<object>(hold, task.Id));
        Transient.Is(end).ShouldBeTrue();
    }
}
