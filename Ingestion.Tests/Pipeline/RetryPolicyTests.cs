using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Pipeline;

public sealed class RetryPolicyTests
{
    private static readonly RetryPolicy Policy = new(
        new() { InitialDelay = TimeSpan.FromSeconds(2), Factor = 4, MaxDelay = TimeSpan.FromSeconds(60), Jitter = 0.2 }, [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(7)]);

    /// <summary>The whole taxonomy: each code's class, and what its task waits for where no attempt is charged.</summary>
    private static readonly Dictionary<string, (ErrorClass Class, string? Waits)> Taxonomy = new()
    {
        ["no_text"] = (ErrorClass.Permanent, null), ["empty"] = (ErrorClass.Permanent, null), ["encrypted"] = (ErrorClass.Permanent, null), ["corrupt"] = (ErrorClass.Permanent, null),
        ["too_large"] = (ErrorClass.Policy, null), ["limit_exceeded"] = (ErrorClass.Policy, null), ["unsupported"] = (ErrorClass.Permanent, null),
        ["parse_timeout"] = (ErrorClass.Permanent, null), ["stage_timeout"] = (ErrorClass.Transient, null), ["parser_crashed"] = (ErrorClass.Transient, null), ["crashed_worker"] = (ErrorClass.Permanent, null),
        ["blocked_url"] = (ErrorClass.Policy, null), ["invalid_url"] = (ErrorClass.Permanent, null), ["not_found"] = (ErrorClass.Permanent, null), ["gone"] = (ErrorClass.Permanent, null),
        ["access_denied"] = (ErrorClass.Permanent, null), ["http_client_error"] = (ErrorClass.Permanent, null), ["http_server_error"] = (ErrorClass.Transient, null), ["throttled"] = (ErrorClass.Throttled, null),
        ["network_error"] = (ErrorClass.Transient, null), ["fetch_timeout"] = (ErrorClass.Transient, null), ["too_many_redirects"] = (ErrorClass.Permanent, null), ["bad_content"] = (ErrorClass.Permanent, null),
        ["no_captions"] = (ErrorClass.Permanent, null), ["source_quota"] = (ErrorClass.Quota, null),
        ["missing_file"] = (ErrorClass.Permanent, null), ["invalid_manifest"] = (ErrorClass.Permanent, null), ["too_many_items"] = (ErrorClass.Policy, null), ["invalid_option"] = (ErrorClass.Permanent, null),
        ["source_not_configured"] = (ErrorClass.Policy, null),
        ["embedder_not_configured"] = (ErrorClass.Policy, null), ["embedding_unavailable"] = (ErrorClass.Transient, WaitReasons.EmbeddingUnavailable), ["embedding_throttled"] = (ErrorClass.Throttled, WaitReasons.EmbeddingThrottled),
        ["embedding_quota"] = (ErrorClass.Quota, null), ["embedding_refused"] = (ErrorClass.Permanent, null), ["embedding_invalid"] = (ErrorClass.Transient, null),
        ["crawler_unavailable"] = (ErrorClass.Transient, WaitReasons.Crawler), ["crawler_throttled"] = (ErrorClass.Throttled, WaitReasons.Crawler),
        ["storage_full"] = (ErrorClass.Transient, WaitReasons.StorageFull), ["storage_unavailable"] = (ErrorClass.Transient, WaitReasons.Unavailable), ["database_busy"] = (ErrorClass.Transient, WaitReasons.Unavailable),
        ["rejected"] = (ErrorClass.Policy, null), ["cancelled"] = (ErrorClass.Policy, null), ["internal"] = (ErrorClass.Bug, null),
        ["forbidden"] = (ErrorClass.Policy, null), ["quota_exceeded"] = (ErrorClass.Policy, null), ["rate_limited"] = (ErrorClass.Throttled, null), ["secret_missing"] = (ErrorClass.Permanent, null),
    };

    public static TheoryData<string> Codes => [.. ErrorCodes.All.Select(c => c.Code)];

    [Fact]
    public void The_taxonomy_is_closed_and_every_code_has_its_class_and_a_remedy()
    {
        ErrorCodes.All.ToDictionary(c => c.Code, c => (c.Class, c.WaitReason)).OrderBy(c => c.Key, StringComparer.Ordinal).ShouldBe(Taxonomy.OrderBy(c => c.Key, StringComparer.Ordinal));
        ErrorCodes.All.ShouldAllBe(c => c.Remedy.EndsWith('.'));
        ErrorCodes.All.Where(c => c.WaitReason is not null).ShouldAllBe(c => WaitReasons.All.Contains(c.WaitReason!));
    }

    [Theory]
    [InlineData(true, 3, 3)]
    [InlineData(true, 0, 0)]
    [InlineData(false, 3, 0)]
    public void Options_say_how_often_a_document_is_tried_again_by_itself(bool retryFailed, int maxRetries, int retries) =>
        new ProcessingOptions { RetryFailedFiles = retryFailed, MaxRetries = maxRetries }.Retries.ShouldBe(retries);

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
