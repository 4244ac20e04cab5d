using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class ItemStandingTests : DatabaseTest
{
    [Fact]
    public async Task A_query_finds_documents_where_memory_says_that_they_stand()
    {
        var batch = await Make.Batch();
        var expected = new Dictionary<long, ItemStanding>
        {
            [(await Make.Task(batch)).ItemId!.Value] = ItemStanding.Waiting,
            [(await Make.Task(batch, TaskState.Running)).ItemId!.Value] = ItemStanding.Running,
            [(await Make.Task(batch, stage: Stage.Parse)).ItemId!.Value] = ItemStanding.Between,
            [(await Make.Task(batch, failures: 1)).ItemId!.Value] = ItemStanding.Retrying,
            [(await Make.Task(batch, stage: Stage.Embed, crashes: 1)).ItemId!.Value] = ItemStanding.Retrying,
            [(await Make.Task(batch, TaskState.Running, failures: 2)).ItemId!.Value] = ItemStanding.Running,
            [(await Make.Task(batch, TaskState.Blocked, Stage.Parse)).ItemId!.Value] = ItemStanding.Blocked,
        };
        foreach (var (state, standing) in new[]
        {
            (ItemState.Done, ItemStanding.Done), (ItemState.Skipped, ItemStanding.Skipped), (ItemState.Failed, ItemStanding.Failed), (ItemState.Rejected, ItemStanding.Rejected), (ItemState.Cancelled, ItemStanding.Cancelled),
        })
            expected[await Make.Item(batch, state)] = standing;
        expected.Values.Distinct().ShouldBe(Enum.GetValues<ItemStanding>(), ignoreOrder: true);

        var scope = Scope.OfTenant(Tenant.Default);
        var items = new CollectionItems(new(Database));
        var collection = (await items.CollectionAsync(scope, "default", CancellationToken.None))!;
        foreach (var row in (await items.ListAsync(scope, collection.Id, null, ItemOrder.Created, false, 0, 100, CancellationToken.None)).Rows)
            ItemStandings.Of(row.Item).ShouldBe(expected[row.Item.Id]);
        foreach (var standing in Enum.GetValues<ItemStanding>())
        {
            var found = await items.ListAsync(scope, collection.Id, [standing], ItemOrder.Standing, true, 0, 100, CancellationToken.None);
            found.Rows.Select(r => r.Item.Id).ShouldBe(expected.Where(e => e.Value == standing).Select(e => e.Key), ignoreOrder: true, standing.ToString());
            found.Total.ShouldBe(found.Rows.Count);
        }
        (await items.CountAsync(scope, collection.Id, CancellationToken.None)).ShouldBe(expected.Values.GroupBy(s => s).ToDictionary(g => g.Key, g => g.Count()), ignoreOrder: true);
    }

    [Fact]
    public async Task A_part_of_the_way_counts_each_document_once_by_its_newest_task_there()
    {
        var batch = await Make.Batch();
        var item = (await Make.Task(batch, TaskState.Failed)).ItemId;
        await Make.Task(batch, TaskState.Succeeded, item: item);
        await Make.Task(batch, stage: Stage.Parse, item: item);
        await Make.Task(batch, TaskState.Running, Stage.Discover);
        var tasks = new BatchTasks(Database, new(Database));
        var parts = await tasks.PartsAsync(Scope.OfTenant(Tenant.Default), batch, [[Stage.Discover], [Stage.Acquire, Stage.Parse], [Stage.Embed, Stage.Index]], CancellationToken.None);
        parts.Select(p => (p.Part, p.State, p.Count)).ShouldBe([(0, TaskState.Running, 1), (1, TaskState.Ready, 1)]);
    }
}
