using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

public sealed class UrlRulesTests
{
    private static readonly UrlRules Rules = With();

    [Theory]
    // numbers in other spellings
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://2852039166/")]
    [InlineData("http://4294967295/")]
    [InlineData("http://0177.0.0.1/")]
    [InlineData("http://0177.1/")]
    [InlineData("http://017700000001/")]
    [InlineData("http://0251.0376.0251.0376/")]
    [InlineData("http://0x7f.1/")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://0X7F000001/")]
    [InlineData("http://0xA9.0xFE.0xA9.0xFE/")]
    [InlineData("http://127.1/")]
    [InlineData("http://127.0.1/")]
    [InlineData("http://0/")]
    [InlineData("http://127.000.000.001/")]
    [InlineData("http://0x7f.0.0.01/")]
    [InlineData("http://4294967296/")]
    [InlineData("http://256.256.256.256/")]
    [InlineData("http://1.1.1.1.1/")]
    [InlineData("http://example.com.0x7f/")]
    [InlineData("http://010.8.8.8/")]
    [InlineData("http://8.8.2056/")]
    [InlineData("http://127.0.0.1./")]
    [InlineData("http://localhost./")]
    [InlineData("http://①②⑦.⓪.⓪.①/")]
    [InlineData("http://１２７.0.0.1/")]
    [InlineData("http://127。0。0。1/")]
    [InlineData("http://127．0．0．1/")]
    [InlineData("http://127｡0｡0｡1/")]
    [InlineData("http://lo\u00adcalhost/")]
    [InlineData("http://exam\u00adple.com/")]
    [InlineData("http://exam\u200bple.com/")]
    [InlineData("http://ｅxample.com/")]
    [InlineData("http://LOCALHOST/")]
    [InlineData("HTTP://127.0.0.1/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[0:0:0:0:0:0:0:1]/")]
    [InlineData("http://[::]/")]
    [InlineData("http://[::ffff:7f00:1]/")]
    [InlineData("http://[::ffff:127.0.0.1]/")]
    [InlineData("http://[::127.0.0.1]/")]
    [InlineData("http://[64:ff9b::7f00:1]/")]
    [InlineData("http://[2002:7f00:1::]/")]
    [InlineData("http://[fe80::1%25lo]/")]
    [InlineData("http://[::1%25lo]/")]
    [InlineData("http://[fd00:ec2::254]/")]
    // inner names
    [InlineData("http://localhost/")]
    [InlineData("http://a.localhost/")]
    [InlineData("http://localhost.localdomain/")]
    [InlineData("http://ip6-localhost/")]
    [InlineData("http://ip6-loopback/")]
    [InlineData("http://printer.local/")]
    [InlineData("http://db.internal/")]
    [InlineData("http://router.home.arpa/")]
    [InlineData("http://a.test/")]
    [InlineData("http://intranet/")]
    [InlineData("http://metadata.google.internal/")]
    [InlineData("http://metadata.google.internal./")]
    [InlineData("http://METADATA.google.internal/")]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    // users
    [InlineData("http://example.com@127.0.0.1/")]
    [InlineData("http://127.0.0.1@example.com/")]
    [InlineData("http://user:secret@example.com/")]
    [InlineData("http://@example.com/")]
    // ports
    [InlineData("http://example.com:22/")]
    [InlineData("http://example.com:25/")]
    [InlineData("http://example.com:6379/")]
    [InlineData("http://example.com:5432/")]
    [InlineData("http://example.com:11211/")]
    [InlineData("http://example.com:0/")]
    // schemes
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://example.com/")]
    [InlineData("gopher://example.com/")]
    [InlineData("dict://example.com/")]
    [InlineData("ldap://example.com/")]
    [InlineData("jar:http://example.com/!/")]
    [InlineData("data:text/html,x")]
    [InlineData("javascript:alert(1)")]
    [InlineData("blob:x")]
    [InlineData("ws://example.com/")]
    public void Address_is_blocked(string url) => Refusal(Rules, url).Code.ShouldBe(ErrorCodes.BlockedUrl);

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("example.com")]
    [InlineData("/etc/passwd")]
    [InlineData("//127.0.0.1/")]
    [InlineData("http:/127.0.0.1/")]
    [InlineData("http:127.0.0.1")]
    [InlineData("http://")]
    [InlineData("http:///path")]
    [InlineData("http://example.com:65536/")]
    [InlineData("http://example.com:x/")]
    [InlineData(@"http:\\127.0.0.1\")]
    [InlineData(@"http://example.com\@127.0.0.1/")]
    [InlineData(@"\\server\share")]
    [InlineData("http://1.1.1.1 &@2.2.2.2# @3.3.3.3/")]
    [InlineData("http://exam\tple.com/")]
    [InlineData("http://example.com/a\nb")]
    [InlineData("http://example.com/a\0b")]
    [InlineData("\u0001http://example.com/")]
    [InlineData("http://[::1/")]
    [InlineData("http://exa mple.com/")]
    public void Address_is_invalid(string url) => Refusal(Rules, url).Code.ShouldBe(ErrorCodes.InvalidUrl);

    [Theory]
    [InlineData("http://127.0.0.1%2f@example.com/")]
    [InlineData("http://%31%32%37.0.0.1/")]
    [InlineData("http://example.com#@127.0.0.1:22/")]
    [InlineData("http://0x7f.1%00/")]
    public void Escaped_host_never_passes_as_another(string url)
    {
        try
        {
            Rules.Parse(url).IdnHost.ShouldBe("example.com");
        }
        catch (IngestionException e)
        {
            e.Code.ShouldBeOneOf(ErrorCodes.InvalidUrl, ErrorCodes.BlockedUrl);
        }
    }

    [Theory]
    [InlineData("http://example.com")]
    [InlineData("https://example.com/a?b=c#d")]
    [InlineData("HTTPS://EXAMPLE.COM/")]
    [InlineData("http://example.com:8080/")]
    [InlineData("https://example.com:8443/")]
    [InlineData("http://example.com./")]
    [InlineData("http://8.8.8.8/")]
    [InlineData("http://[2606:4700:4700::1111]/")]
    [InlineData("http://bücher.example/")]
    [InlineData("http://例え.jp/")]
    [InlineData("http://example.com/with blank.html")]
    [InlineData("http://example.com/user@host")]
    [InlineData("http://www.123.com/")]
    public void Public_address_passes(string url) => Rules.Parse(url).IsAbsoluteUri.ShouldBeTrue();

    [Fact]
    public void Address_of_eight_thousand_characters_passes_and_a_longer_one_does_not()
    {
        var longest = "http://example.com/" + new string('a', UrlRules.MaxLength - 19);
        Rules.Parse(longest).AbsoluteUri.ShouldBe(longest);
        Refusal(Rules, longest + "a").Code.ShouldBe(ErrorCodes.InvalidUrl);
    }

    [Theory]
    [InlineData("http://127.0.0.1:5001/", true)]
    [InlineData("http://127.0.0.1:5002/", false)]
    [InlineData("http://127.0.0.1/", false)]
    [InlineData("http://2130706433:5001/", false)]
    [InlineData("http://localhost:5001/", false)]
    [InlineData("http://wiki.corp/", true)]
    [InlineData("http://wiki.corp:5001/", false)]
    [InlineData("http://example.com:5001/", true)] // its address may turn out to be the one that is opened, and decides
    [InlineData("http://wiki.corp:9000/", false)]
    [InlineData("http://other.corp/", false)]
    public void Allow_list_opens_what_it_names(string url, bool passes)
    {
        var rules = With("127.0.0.1:5001", "wiki.corp");
        if (passes)
            rules.Parse(url).ShouldNotBeNull();
        else
            Refusal(rules, url).Code.ShouldBe(ErrorCodes.BlockedUrl);
    }

    [Theory]
    [InlineData("http://169.254.169.254/")]
    [InlineData("http://[::ffff:169.254.169.254]/")]
    [InlineData("http://[fd00:ec2::254]/")]
    [InlineData("http://metadata.google.internal/")]
    public void Metadata_services_stay_closed_under_any_allow_list(string url) =>
        Refusal(With("0.0.0.0/0", "::/0", "169.254.169.254", "metadata.google.internal"), url).Message.ShouldContain("a metadata service");

    [Theory]
    [InlineData("next", "http://example.com/a/next")]
    [InlineData("/etc/passwd", "http://example.com/etc/passwd")]
    [InlineData("//example.org/x", "http://example.org/x")]
    [InlineData("?page=2", "http://example.com/a/b?page=2")]
    [InlineData("with blank", "http://example.com/a/with%20blank")]
    public void Relative_target_is_resolved(string target, string expected) =>
        Rules.Resolve(new Uri("http://example.com/a/b"), target).AbsoluteUri.ShouldBe(expected);

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("//127.0.0.1/")]
    [InlineData("http://localhost/")]
    [InlineData("javascript:alert(1)")]
    public void Target_is_judged_like_any_address(string target) =>
        Should.Throw<IngestionException>(() => Rules.Resolve(new Uri("http://example.com/a/b"), target)).Code.ShouldBe(ErrorCodes.BlockedUrl);

    [Fact]
    public void Refusal_repeats_no_secret() =>
        Refusal(Rules, "http://user:hunter2@example.com/?token=hunter2").Message.ShouldNotContain("hunter2");

    private static IngestionException Refusal(UrlRules rules, string url) => Should.Throw<IngestionException>(() => rules.Parse(url));

    private static UrlRules With(params string[] entries)
    {
        AllowedTargets.TryParse(entries, out var allowed, out _).ShouldBeTrue();
        return new UrlRules(allowed, [80, 443, 8080, 8443]);
    }
}
