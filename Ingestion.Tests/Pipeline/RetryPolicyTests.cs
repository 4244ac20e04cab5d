using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class RetryPolicyTests
{
    private static readonly RetryPolicy Policy = new(
        new() { InitialDelay = TimeSpan.FromSeconds(2), Factor = 4, MaxDelay = TimeSpan.FromSeconds(60), Jitter = 0.2 }, [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(7)]);

    public static TheoryData<string> Codes => [.. ErrorCodes.All.Select(c => c.Code)];

    [Theory]
    [MemberData(nameof(Codes))]
    public void Class_decides_how_many_retries_follow(string word)
    {
        var code = ErrorCodes.Find(word);
        var expected = code.Class switch { ErrorClass.Transient or ErrorClass.Throttled => 3, ErrorClass.Bug => 1, _ => 0 };
        Enumerable.Range(0, 10).TakeWhile(failures => Policy.Next(Stage.Parse, code, failures, 3, null) is not null).Count().ShouldBe(expected);
    }

    [Fact]
    public void No_retries_allowed_means_none() =>
        Policy.Next(Stage.Parse, ErrorCodes.Internal, 0, 0, null).ShouldBeNull();

    [Theory]
    [InlineData(0, 2)]
    [InlineData(1, 8)]
    [InlineData(2, 32)]
    [InlineData(3, 60)]
    [InlineData(15, 60)]
    public void Pauses_grow_to_their_limit_and_jitter_stays_in_bounds(int failures, double seconds)
    {
        var pauses = Enumerable.Range(0, 500).Select(_ => Policy.Next(Stage.Embed, ErrorCodes.NetworkError, failures, 20, null)!.Value.TotalSeconds).ToList();
        pauses.ShouldAllBe(p => p >= seconds * 0.8 && p <= seconds * 1.2);
        (pauses.Max() - pauses.Min()).ShouldBeGreaterThan(seconds * 0.2, "nothing is left to chance");
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 7)]
    [InlineData(9, 7)]
    public void Acquiring_waits_as_configured(int failures, double seconds) =>
        Policy.Next(Stage.Acquire, ErrorCodes.NetworkError, failures, 20, null)!.Value.TotalSeconds.ShouldBeInRange(seconds * 0.8, seconds * 1.2);

    [Fact]
    public void What_the_other_side_asked_for_is_never_undercut()
    {
        Policy.Next(Stage.Acquire, ErrorCodes.Throttled, 0, 3, TimeSpan.FromSeconds(90)).ShouldBe(TimeSpan.FromSeconds(90));
        Policy.Next(Stage.Acquire, ErrorCodes.Throttled, 0, 3, TimeSpan.FromMilliseconds(1))!.Value.ShouldBeGreaterThan(TimeSpan.FromSeconds(0.5));
    }
}
