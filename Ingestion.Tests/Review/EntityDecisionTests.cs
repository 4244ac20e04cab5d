using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Review;

public sealed class EntityDecisionTests : DatabaseTest
{
    private ReviewSeed? _seed;

    private ReviewSeed Seed => _seed ??= new(Spine, Make);

    private ReferenceLists Lists => new(Database);

    [Fact]
    public async Task Picking_a_candidate_links_it_with_the_version_of_its_list_and_can_be_taken_back()
    {
        await LoadAsync();
        var (_, reviews) = await Seed.BatchAsync(1);
        var before = await FieldAsync(reviews[0]);
        (await Seed.Desk.PickAsync(Make.Actor, reviews[0], 1, "raga", "nobody", CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Refused);
        (await Seed.Desk.PickAsync(Make.Actor, reviews[0], 1, "tala", "kalyani", CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Refused);
        (await Seed.Desk.PickAsync(Make.Actor, reviews[0], 1, "raga", "kalyani", CancellationToken.None)).ShouldBe(new(ReviewOutcome.Done, "raga is Kalyāni.", 2));

        var picked = await FieldAsync(reviews[0]);
        (picked.State, picked.Entity, picked.ListVersion, picked.Confidence).ShouldBe((FieldState.Picked, "kalyani", 1, 1d));
        // The candidates stay to be seen.
        picked.Candidates.ShouldBe(before.Candidates);
        (await Seed.Queries.FindAsync("default", reviews[0], CancellationToken.None))!.Review.Confidence.ShouldBe(1);
        (await Seed.Desk.PickAsync(Make.Actor, reviews[0], 1, "raga", "todi", CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Conflict);

        (await Seed.Desk.UndoAsync(Make.Actor, reviews[0], 2, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        ResolvedField.ToJson([await FieldAsync(reviews[0])]).ShouldBe(ResolvedField.ToJson([before]));
        (await Rows.ProblemsAsync(Worker)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Decisions_are_taken_back_one_after_the_other_the_last_first()
    {
        await LoadAsync();
        var (_, reviews) = await Seed.BatchAsync(1);
        await Seed.Desk.PickAsync(Make.Actor, reviews[0], 1, "raga", "kalyani", CancellationToken.None);
        await Seed.Desk.PickAsync(Make.Actor, reviews[0], 2, "raga", "todi", CancellationToken.None);
        await Seed.Desk.ApproveAsync(Make.Actor, reviews[0], 3, CancellationToken.None);
        await Seed.Desk.UndoAsync(Make.Actor, reviews[0], 4, CancellationToken.None);
        (await FieldAsync(reviews[0])).Entity.ShouldBe("todi");
        await Seed.Desk.UndoAsync(Make.Actor, reviews[0], 5, CancellationToken.None);
        (await FieldAsync(reviews[0])).Entity.ShouldBe("kalyani");
        await Seed.Desk.UndoAsync(Make.Actor, reviews[0], 6, CancellationToken.None);
        (await FieldAsync(reviews[0])).State.ShouldBe(FieldState.Uncertain);
        (await Rows.ProblemsAsync(Worker)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_new_entity_is_a_version_of_the_list_and_goes_again_unless_another_document_means_it()
    {
        await LoadAsync();
        var (_, reviews) = await Seed.BatchAsync(2);
        (await Seed.Desk.NewEntityAsync(Make.Actor, reviews[0], 1, "raga", new("kalyani", "Kalyāni"), CancellationToken.None)).Message.ShouldContain("already");
        (await Seed.Desk.NewEntityAsync(Make.Actor, reviews[0], 1, "raga", new("soma", "Soma"), CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await NamesAsync()).ShouldBe(["Hanumatodi", "Kalyāni", "Soma", "Todi"]);
        (await FieldAsync(reviews[0])).ListVersion.ShouldBe(2);

        await Seed.Desk.PickAsync(Make.Actor, reviews[1], 1, "raga", "soma", CancellationToken.None);
        (await Seed.Desk.UndoAsync(Make.Actor, reviews[0], 2, CancellationToken.None)).Message.ShouldContain("1 other");
        await Seed.Desk.UndoAsync(Make.Actor, reviews[1], 2, CancellationToken.None);
        (await Seed.Desk.UndoAsync(Make.Actor, reviews[0], 2, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await NamesAsync()).ShouldBe(["Hanumatodi", "Kalyāni", "Todi"]);
    }

    [Fact]
    public async Task Merging_makes_one_entity_with_both_names_and_taking_it_back_makes_two()
    {
        await LoadAsync();
        var before = await ListAsync();
        var (_, reviews) = await Seed.BatchAsync(1);
        (await Seed.Desk.MergeAsync(Make.Actor, reviews[0], 1, "raga", "todi", "todi", CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Refused);
        (await Seed.Desk.MergeAsync(Make.Actor, reviews[0], 1, "raga", "todi", "hanumatodi", CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        var merged = (await ListAsync()).Single(e => e.Key == "hanumatodi");
        merged.Aliases.Select(a => a.Text).ShouldBe(["Todi", "tODi"]);
        (await FieldAsync(reviews[0])).Entity.ShouldBe("hanumatodi");
        new ReferenceIndex(await ListAsync(), KrithiRagas).Match("tODi").Best!.Key.ShouldBe("hanumatodi");

        (await Seed.Desk.UndoAsync(Make.Actor, reviews[0], 2, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await ListAsync()).Select(Text).ShouldBe(before.Select(Text));
        (await Rows.ProblemsAsync(Worker)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Splitting_makes_two_of_one_by_its_spellings_and_taking_it_back_makes_one()
    {
        await LoadAsync();
        var before = await ListAsync();
        var (_, reviews) = await Seed.BatchAsync(1);
        (await Seed.Desk.SplitAsync(Make.Actor, reviews[0], 1, "raga", "todi", ["Todi"], "tdi", "TODi", CancellationToken.None)).Message.ShouldBe("“Todi” is no spelling of Todi.");
        (await Seed.Desk.SplitAsync(Make.Actor, reviews[0], 1, "raga", "todi", ["tODi"], "kalyani", "tODi", CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Refused);
        (await Seed.Desk.SplitAsync(Make.Actor, reviews[0], 1, "raga", "todi", ["tODi"], "todi-2", "Tōdi", CancellationToken.None)).ShouldBe(new(ReviewOutcome.Done, "raga is Tōdi.", 2));
        (await ListAsync()).Single(e => e.Key == "todi").Aliases.ShouldBeEmpty();
        (await ListAsync()).Single(e => e.Key == "todi-2").Aliases.Select(a => a.Text).ShouldBe(["tODi"]);
        (await FieldAsync(reviews[0])).Entity.ShouldBe("todi-2");

        (await Seed.Desk.UndoAsync(Make.Actor, reviews[0], 2, CancellationToken.None)).Outcome.ShouldBe(ReviewOutcome.Done);
        (await ListAsync()).Select(Text).ShouldBe(before.Select(Text));
        (await Rows.ProblemsAsync(Worker)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_split_is_not_taken_back_over_what_was_changed_since()
    {
        await LoadAsync();
        var (_, reviews) = await Seed.BatchAsync(1);
        await Seed.Desk.SplitAsync(Make.Actor, reviews[0], 1, "raga", "todi", ["tODi"], "todi-2", "Tōdi", CancellationToken.None);
        await Lists.LoadAsync(Make.Actor, "default", "raga", [new("todi", "Todi, the old one"), new("todi-2", "Tōdi")], null, CancellationToken.None);
        (await Seed.Desk.UndoAsync(Make.Actor, reviews[0], 2, CancellationToken.None)).Message.ShouldContain("changed since");
        (await FieldAsync(reviews[0])).Entity.ShouldBe("todi-2");
    }

    private static readonly Matcher KrithiRagas = Resolution.KrithiReference.Ragas;

    private Task<int> LoadAsync() => Lists.LoadAsync(Make.Actor, "default", "raga",
        [new("kalyani", "Kalyāni"), new ReferenceEntity("todi", "Todi") with { Aliases = [new("tODi")] }, new("hanumatodi", "Hanumatodi")], null, CancellationToken.None);

    private async Task<IReadOnlyList<ReferenceEntity>> ListAsync() => (await Lists.EntitiesAsync("default", "default", "raga", null, CancellationToken.None))!;

    private async Task<IEnumerable<string>> NamesAsync() => (await ListAsync()).Select(e => e.Name).Order(StringComparer.Ordinal);

    private async Task<ResolvedField> FieldAsync(long review) => (await Seed.Queries.FindAsync("default", review, CancellationToken.None))!.Fields.Single();

    private static string Text(ReferenceEntity e) => System.Text.Json.JsonSerializer.Serialize(e);
}
