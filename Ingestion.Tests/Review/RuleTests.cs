using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;
using Ingestion.Core.Review.Rules;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Review;

/// <summary>Decisions that teach: what a rule would do is told before it does it, and samples say whether it is right.</summary>
public sealed class RuleTests(ITestOutputHelper output) : DatabaseTest
{
    private static readonly ReviewOptions Watched = new() { SampleShare = 0.25, ErrorLimit = 0.05, LeastSamples = 20 };
    private ReviewSeed? _seed;

    private ReviewSeed Seed => _seed ??= new(Spine, Make);

    private ReviewRules Rules => new(Database, Seed.Queries);

    private RuleTrials Trials => new(Database, Seed.Queries, new(Worker));

    private RuleChecks Checks => new(Worker, Spine.Hints, Watched);

    [Fact]
    public async Task A_pick_becomes_a_rule_that_tells_what_it_would_do_before_it_does_it()
    {
        await LoadAsync();
        // Ten documents with one spelling: six people approved as kalyani, one as todi, two were rejected, one is open.
        var (_, reviews) = await SameAsync(10);
        foreach (var review in reviews.Take(6)) await DecideAsync(review, "kalyani");
        await DecideAsync(reviews[6], "todi");
        foreach (var review in reviews.Skip(7).Take(2)) await Seed.Desk.RejectAsync(Make.Actor with { Reason = "no" }, review, 1, CancellationToken.None);
        (await Rules.CreateAsync(Make.Actor, reviews[9], "raga", RuleKinds.Value, CancellationToken.None)).Result.Outcome.ShouldBe(ReviewOutcome.Refused);

        var (id, _) = await Rules.CreateAsync(Make.Actor, reviews[0], "raga", RuleKinds.Value, CancellationToken.None);
        (await Rules.CreateAsync(Make.Actor, reviews[1], "raga", RuleKinds.Value, CancellationToken.None)).Rule.ShouldBe(id);
        (await Rules.FindAsync("default", id!.Value, CancellationToken.None))!.State.ShouldBe(RuleStates.Draft);
        var trial = (await Trials.RunAsync("default", id.Value, CancellationToken.None))!;
        output.WriteLine(trial.Sentence);
        (trial.Open, trial.OpenPassing, trial.WouldApprove, trial.Agreed, trial.Otherwise, trial.Rejected).ShouldBe((1, 1, 9, 6, 1, 2));
        trial.Samples.Single().Id.ShouldBe(reviews[9]);
        (await QueryAsync<string>("SELECT state FROM ingestion.review_item WHERE id = $1", reviews[9])).ShouldBe(["open"]);
    }

    [Fact]
    public async Task Switching_on_is_fenced_reaches_what_is_open_and_is_taken_back()
    {
        await LoadAsync();
        var (_, reviews) = await SameAsync(4);
        await DecideAsync(reviews[0], "kalyani");
        // Somebody has begun to look at the second: it is left to them.
        await Seed.Desk.PickAsync(Make.Actor, reviews[1], 1, "raga", "todi", CancellationToken.None);
        var (id, _) = await Rules.CreateAsync(Make.Actor, reviews[0], "raga", RuleKinds.Alias, CancellationToken.None);
        (await Rules.StartAsync(Make.Actor, id!.Value, 7, true, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Conflict);
        (await Rules.StartAsync(Make.Actor, id.Value, 1, true, CancellationToken.None)).ShouldBe(new(ReviewOutcome.Done, "It is on.", 2));
        (await AliasesAsync("kalyani")).ShouldBe([new("shared spelling")]);
        (await Rules.StartAsync(Make.Actor, (await Rules.CreateAsync(Make.Actor, reviews[1], "raga", RuleKinds.Value, CancellationToken.None)).Rule!.Value, 1, false, CancellationToken.None)).Message.ShouldContain($"Rule {id}");

        await new RuleApplication(Worker, Seed.Desk).RunAsync(CancellationToken.None);
        (await QueryAsync<string>("SELECT state FROM ingestion.review_item ORDER BY id")).ShouldBe(["approved", "open", "sent_back", "sent_back"]);
        (await Rules.FindAsync("default", id.Value, CancellationToken.None))!.Applying.ShouldBeFalse();
        (await Spine.ClaimAsync(Stage.Resolve)).Count.ShouldBe(2);

        (await Rules.StopAsync(Make.Actor with { Reason = "Wrong after all." }, id.Value, 2, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await AliasesAsync("kalyani")).ShouldBeEmpty();
        (await Rules.ChangesAsync("default", id.Value, CancellationToken.None)).Select(c => (c.State, c.Reason)).ShouldBe([(RuleStates.Draft, null), (RuleStates.On, null), (RuleStates.Off, "Wrong after all.")]);
        (await Rows.ProblemsAsync(Worker)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_rule_that_is_wrong_one_time_in_five_is_stopped_by_its_sample()
    {
        var (rule, batch) = await RuleAsync();
        var stopped = await SimulateAsync(rule, batch, errors: 0.2, documents: 400);
        stopped.ShouldBeTrue();
        var view = (await Rules.FindAsync("default", rule.Id, CancellationToken.None))!;
        output.WriteLine($"{view.Figures} {view.Reason}");
        (view.State, view.ChangedBy).ShouldBe((RuleStates.Stopped, RuleChecks.Who));
        view.Figures.Looked.ShouldBeLessThan(100);
        view.Figures.Error!.Low.ShouldBeGreaterThan(Watched.ErrorLimit);
        view.Figures.Error.Low.ShouldBeLessThan(0.2);
        view.Figures.Error.High.ShouldBeGreaterThan(0.2);
        (await QueryAsync<string>("SELECT data ->> 'reason' FROM ingestion.import_event WHERE batch_id = $1 AND kind = $2", batch, EventKinds.RuleStopped)).ShouldBe([view.Reason!]);
        // Nothing passes by it any more.
        (await new RuleBook(Worker).OfAsync(await CollectionAsync(), [Field()], CancellationToken.None)).ShouldBeEmpty();
        (await Rows.ProblemsAsync(Worker)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_rule_that_is_right_is_left_alone_however_often_it_is_looked_at()
    {
        var (rule, batch) = await RuleAsync();
        (await SimulateAsync(rule, batch, errors: 0.01, documents: 400)).ShouldBeFalse();
        var view = (await Rules.FindAsync("default", rule.Id, CancellationToken.None))!;
        output.WriteLine($"{view.Figures} {view.Figures.Error}");
        view.State.ShouldBe(RuleStates.On);
        view.Figures.Passed.ShouldBe(400);
        view.Figures.Sampled.ShouldBeInRange(70, 130);
        view.Figures.Looked.ShouldBe(view.Figures.Sampled);
        view.Figures.Error!.Low.ShouldBeLessThan(0.02);
    }

    [Fact]
    public async Task A_decision_that_was_taken_back_counts_for_nothing()
    {
        var (rule, batch) = await RuleAsync();
        var review = await PassAsync(rule, batch, share: 1);
        await Seed.Desk.RejectAsync(Make.Actor with { Reason = "no" }, review!.Value, 1, CancellationToken.None);
        (await Rules.FindAsync("default", rule.Id, CancellationToken.None))!.Figures.ShouldBe(new(1, 1, 1, 1));
        await Seed.Desk.UndoAsync(Make.Actor, review.Value, 2, CancellationToken.None);
        (await Rules.FindAsync("default", rule.Id, CancellationToken.None))!.Figures.ShouldBe(new(1, 1, 0, 0));
        await Seed.Desk.PickAsync(Make.Actor, review.Value, 3, "raga", "todi", CancellationToken.None);
        await Seed.Desk.ApproveAsync(Make.Actor, review.Value, 4, CancellationToken.None);
        (await Rules.FindAsync("default", rule.Id, CancellationToken.None))!.Figures.ShouldBe(new(1, 1, 1, 1));
    }

    [Theory]
    [InlineData(0, 10, 0, 0.2775)]
    [InlineData(1, 10, 0.0179, 0.4042)]
    [InlineData(50, 1000, 0.0381, 0.0653)]
    public void The_interval_is_wilsons(int wrong, int looked, double low, double high)
    {
        var error = ErrorInterval.Of(wrong, looked)!;
        (Math.Round(error.Low, 4), Math.Round(error.High, 4)).ShouldBe((low, high));
        ErrorInterval.Of(0, 0).ShouldBeNull();
    }

    [Fact]
    public void The_sample_is_the_share_that_was_asked_for_and_the_same_each_time()
    {
        foreach (var share in new[] { 0, 0.02, 0.5, 1 })
            Enumerable.Range(1, 20_000).Count(i => RulePasses.Sampled(i, share)).ShouldBeInRange((int)(20_000 * share * 0.85), (int)(20_000 * share * 1.15));
        RulePasses.Sampled(17, 0.02).ShouldBe(RulePasses.Sampled(17, 0.02));
    }

    [Fact]
    public async Task Rules_of_others_are_not_there()
    {
        await Make.OtherTenant("other");
        var (rule, _) = await RuleAsync();
        (await Rules.FindAsync("other", rule.Id, CancellationToken.None)).ShouldBeNull();
        (await Trials.RunAsync("other", rule.Id, CancellationToken.None)).ShouldBeNull();
        (await Rules.ListAsync("other", null, null, 0, 10, CancellationToken.None)).Total.ShouldBe(0);
        (await Rules.StopAsync(new("other", "test"), rule.Id, 2, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.NotFound);
    }

    // Documents pass by the rule as they come; people decide those of the sample, wrongly linked ones as often as said, and the check looks after each.
    private async Task<bool> SimulateAsync(ActiveRule rule, long batch, double errors, int documents)
    {
        var random = new Random(20261122);
        for (var i = 0; i < documents; i++)
        {
            if (await PassAsync(rule, batch, Watched.SampleShare) is not { } review) continue;
            if (random.NextDouble() < errors) await Seed.Desk.RejectAsync(Make.Actor with { Reason = "Another raga." }, review, 1, CancellationToken.None);
            else await Seed.Desk.ApproveAsync(Make.Actor, review, 1, CancellationToken.None);
            if ((await Checks.RunAsync(CancellationToken.None)).Contains(rule.Id)) return true;
        }
        return false;
    }

    // The review of the document where it belongs to the sample.
    private async Task<long?> PassAsync(ActiveRule rule, long batch, double share)
    {
        var type = (await QueryAsync<long>("SELECT id FROM ingestion.record_type ORDER BY id DESC LIMIT 1")).Single();
        var lists = await new PreparedRecords(Worker).ListsAsync(await CollectionAsync(), type, ReviewSeed.Song, CancellationToken.None);
        var (record, used) = RuleUse.Apply(ReviewSeed.Song, RecordResolver.Judge(ReviewSeed.Song, [Field()]), [rule], lists);
        record.Accepted.ShouldBeTrue();
        used.ShouldBe([rule.Id]);
        var task = await Make.Task(batch, TaskState.Running, Stage.Resolve);
        var item = new WorkItem(task.ItemId!.Value, task.BatchId, task.TenantId, await CollectionAsync(), null, "url", null, "", 0, "", null, "{}", null, null, null);
        var sampled = RulePasses.Sampled(item.ItemId, share);
        await Spine.Settler.SettleAsync(task, new StageOutcome.Done(async (connection, ct) =>
        {
            await connection.QueryAsync<object>("INSERT INTO ingestion.item_record (item_id, tenant_id, batch_id, record_type_id, document_version_id, fields, confidence) VALUES ($1, $2, $3, $4, 0, $5::jsonb, 1)",
                item.ItemId, item.TenantId, batch, type, ResolvedField.ToJson(record.Fields));
            await RulePasses.RecordAsync(connection, item, used, sampled, ct);
            if (sampled) await ReviewRows.OpenAsync(connection, item, [ReviewReasons.Sample], 1, null, ct);
        }) { IsLight = true, Next = sampled ? Stage.Review : Stage.Embed }, CancellationToken.None);
        return sampled ? await ScalarAsync<long>("SELECT id FROM ingestion.review_item WHERE item_id = $1", item.ItemId) : null;
    }

    private async Task<(ActiveRule Rule, long Batch)> RuleAsync()
    {
        await LoadAsync();
        // A document that stays at work keeps the batch from ending.
        var (batch, reviews) = await SameAsync(1, others: 1);
        await DecideAsync(reviews[0], "kalyani");
        var (id, _) = await Rules.CreateAsync(Make.Actor, reviews[0], "raga", RuleKinds.Value, CancellationToken.None);
        await Rules.StartAsync(Make.Actor, id!.Value, 1, false, CancellationToken.None);
        return ((await new RuleBook(Worker).OfAsync(await CollectionAsync(), [Field()], CancellationToken.None)).Single(), batch);
    }

    private async Task<(long Batch, IReadOnlyList<long> Reviews)> SameAsync(int items, int others = 0)
    {
        var made = await Seed.BatchAsync(items, others);
        await ExecuteAsync("UPDATE ingestion.item_record SET fields = jsonb_set(fields, '{0,found,value}', '\"shared  spelling\"')");
        return made;
    }

    private async Task DecideAsync(long review, string entity)
    {
        await Seed.Desk.PickAsync(Make.Actor, review, 1, "raga", entity, CancellationToken.None);
        (await Seed.Desk.ApproveAsync(Make.Actor, review, 2, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
    }

    private static ResolvedField Field() => new("raga", FieldKind.Entity, FieldState.Uncertain, new("shared spelling", "column Raga"), EntityType: "raga", ListVersion: 1, Confidence: 0.4);

    private Task<int> LoadAsync() => new ReferenceLists(Database).LoadAsync(Make.Actor, "default", "raga", [new("kalyani", "Kalyāni"), new("todi", "Todi")], null, CancellationToken.None);

    private async Task<IReadOnlyList<EntityAlias>> AliasesAsync(string key) =>
        (await new ReferenceLists(Database).EntitiesAsync("default", "default", "raga", null, CancellationToken.None))!.Single(e => e.Key == key).Aliases;

    private Task<long> CollectionAsync() => ScalarAsync<long>("SELECT id FROM ingestion.collection WHERE tenant_id = 'default' AND key = 'default'");
}
