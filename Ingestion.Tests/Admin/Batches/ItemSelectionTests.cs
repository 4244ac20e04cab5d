using Ingestion.Admin.Components.Pages.Batches;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Batches;

public sealed class ItemSelectionTests
{
    [Fact]
    public void Documents_are_picked_one_by_one_and_let_go()
    {
        var selection = new ItemSelection();
        selection.Set(1, true);
        selection.Set(2, true);
        selection.Set(1, false);
        (selection.Contains(1), selection.Contains(2), selection.Count(10)).ShouldBe((false, true, 1));
    }

    [Fact]
    public void Everything_that_matches_can_be_picked_but_for_some_and_counts_what_comes_to_match()
    {
        var selection = new ItemSelection();
        selection.Set(1, true);
        selection.All(true);
        selection.Set(3, false);
        (selection.Contains(1), selection.Contains(3), selection.Count(10), selection.Count(12)).ShouldBe((true, false, 9, 11));
        selection.Set(3, true);
        selection.Count(10).ShouldBe(10);
        selection.All(false);
        (selection.Contains(1), selection.Count(10)).ShouldBe((false, 0));
    }
}
