using Ingestion.Admin.Components.Pages.Reviews;
using Ingestion.Core.Review;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Reviews;

public sealed class ReviewAddressTests
{
    private const string Me = "usr_me";

    [Fact]
    public void An_address_says_the_whole_queue_and_comes_back_the_same()
    {
        var filter = new ReviewFilter(null, "songs", "job_1", ReviewReasons.Conflict, 0.125, 0.9, 0.5, "a & b", "kalyani", Me, Me, true, "raga", "Kalyāni?", "todi");
        var address = new ReviewAddress(filter, Me, ReviewOrder.LeastSure, 3, At: 7);
        var read = Of(address.Queue());
        read.ShouldBe(address);
        Of(address.Item(12)).ShouldBe(address with { Page = 1, At = null });
        address.Item(12).ShouldStartWith("/review/12?");
        address.Queue().ShouldNotContain(Me);
        Of(new ReviewAddress(new(Ids: [3, 1]), Me).Queue()).Filter.Ids.ShouldBe([3, 1]);
        Of(new ReviewAddress(new(AssignedTo: ""), Me).Queue()).Filter.AssignedTo.ShouldBe("");
    }

    [Fact]
    public void What_waits_needs_no_words_and_nonsense_narrows_nothing()
    {
        new ReviewAddress(new(), Me).Queue().ShouldBe("/review");
        Of("/review?state=x&reason=y&min=200&max=-1&quality=NaN&sort=9&page=-3&unsure=perhaps&ids=a-b&at=x&q=%20").ShouldBe(new(new(), Me));
        Of("/review").IsNarrowed.ShouldBeFalse();
        Of("/review?assigned=nobody").IsNarrowed.ShouldBeTrue();
    }

    [Fact]
    public void Taking_back_goes_from_the_last_decision_to_the_first_and_follows_the_fence()
    {
        var session = new ReviewSession();
        foreach (var (review, version) in new[] { (1L, 2), (2L, 2), (1L, 3) }) session.Made(new(review, version, "n", "Approved"));
        // The second decision on review 1 is taken back: its first one now stands on version 4.
        session.Forget(4);
        session.Last.ShouldBe(new(2, 2, "n", "Approved"));
        session.Forget(null);
        session.Last.ShouldBe(new(1, 4, "n", "Approved"));
        session.Forget(5);
        session.Last.ShouldBeNull();
    }

    private static ReviewAddress Of(string address) => ReviewAddress.Of("http://localhost" + address, Me);
}
