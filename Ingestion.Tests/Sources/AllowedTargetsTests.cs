using System.Net;
using Ingestion.Core.Sources;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

public sealed class AllowedTargetsTests
{
    private static readonly int[] Ports = [80, 443];

    [Theory]
    [InlineData("127.0.0.1:5001", "127.0.0.1", 5001, true)]
    [InlineData("127.0.0.1:5001", "127.0.0.1", 5002, false)]
    [InlineData("127.0.0.1:5001", "127.0.0.1", 80, false)]
    [InlineData("127.0.0.1:5001", "127.0.0.2", 5001, false)]
    [InlineData("127.0.0.1:5001", "::ffff:127.0.0.1", 5001, true)]
    [InlineData("10.1.2.3", "10.1.2.3", 80, true)]
    [InlineData("10.1.2.3", "10.1.2.3", 5432, false)]
    [InlineData("10.0.0.0/8", "10.200.0.1", 443, true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", 443, false)]
    [InlineData("10.0.0.0/8:9000", "10.200.0.1", 9000, true)]
    [InlineData("10.0.0.0/8:9000", "10.200.0.1", 443, false)]
    [InlineData("[::1]:5001", "::1", 5001, true)]
    [InlineData("[::1]:5001", "::1", 80, false)]
    [InlineData("::1", "::1", 80, true)]
    [InlineData("fd00::/8", "fd12::1", 443, true)]
    [InlineData("[fd00::]/8:9000", "fd12::1", 9000, true)]
    [InlineData("[fd00::/8]:9000", "fd12::1", 443, false)]
    [InlineData("wiki.corp:9000", "10.0.0.1", 9000, false)]
    public void Entry_opens_addresses(string entry, string address, int port, bool opens) =>
        Parse(entry).OpensAddress(IPAddress.Parse(address), port, Ports).ShouldBe(opens);

    [Theory]
    [InlineData("wiki.corp", "wiki.corp", 443, true)]
    [InlineData("wiki.corp", "wiki.corp", 9000, false)]
    [InlineData("Wiki.Corp.:9000", "wiki.corp", 9000, true)]
    [InlineData("wiki.corp:9000", "wiki.corp", 443, false)]
    [InlineData("wiki.corp", "evil.wiki.corp", 443, false)]
    [InlineData("wiki.corp", "wiki.corp.evil.com", 443, false)]
    [InlineData("10.0.0.0/8", "wiki.corp", 443, false)]
    public void Entry_opens_names(string entry, string host, int port, bool opens) =>
        Parse(entry).OpensName(host, port, Ports).ShouldBe(opens);

    [Theory]
    [InlineData("")]
    [InlineData("http://wiki.corp")]
    [InlineData("wiki.corp:0")]
    [InlineData("wiki.corp:65536")]
    [InlineData("wiki.corp:http")]
    [InlineData("127.1")]
    [InlineData("0x7f000001")]
    [InlineData("10.0.0.0/33")]
    [InlineData("*.corp")]
    [InlineData("[::1")]
    [InlineData("[::1]x")]
    public void Unreadable_entry_is_named(string entry)
    {
        AllowedTargets.TryParse([entry], out _, out var error).ShouldBeFalse();
        error.ShouldContain($"'{entry}'");
    }

    private static AllowedTargets Parse(string entry)
    {
        AllowedTargets.TryParse([entry], out var targets, out var error).ShouldBeTrue(error);
        return targets;
    }
}
