using Ingestion.Core.Webhooks;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Webhooks;

public sealed class SignatureTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private static readonly DateTimeOffset At = DateTimeOffset.FromUnixTimeSeconds(1614265330);

    [Fact]
    public void Known_message_has_its_known_signature() =>
        WebhookSignature.Of([Secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", At, """{"test": 2432232314}""").ShouldBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    [Fact]
    public void Every_secret_signs_the_newest_first()
    {
        var other = WebhookSignature.NewSecret();
        var both = WebhookSignature.Of([other, Secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", At, """{"test": 2432232314}""").Split(' ');
        both.Length.ShouldBe(2);
        both[1].ShouldBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    [Theory]
    [InlineData("msg_other", 1614265330, "{\"test\": 2432232314}")]
    [InlineData("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265331, "{\"test\": 2432232314}")]
    [InlineData("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232315}")]
    public void Whatever_changes_changes_the_signature(string id, long time, string body) =>
        WebhookSignature.Of([Secret], id, DateTimeOffset.FromUnixTimeSeconds(time), body).ShouldNotBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    [Theory]
    [InlineData(Secret, true)]
    [InlineData("whsec_", false)]
    [InlineData("whsec_c2hvcnQ=", false)]
    [InlineData("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false)]
    [InlineData("whsec_not base64!", false)]
    [InlineData("", false)]
    public void Secret_is_24_to_64_bytes_behind_its_prefix(string secret, bool fits) => (WebhookSignature.Problem(secret) is null).ShouldBe(fits);

    [Fact]
    public void New_secrets_differ_and_fit()
    {
        var made = Enumerable.Range(0, 100).Select(_ => WebhookSignature.NewSecret()).ToList();
        made.Distinct().Count().ShouldBe(100);
        made.ShouldAllBe(s => WebhookSignature.Problem(s) == null);
    }
}
