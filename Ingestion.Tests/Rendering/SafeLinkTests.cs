using Ingestion.Core.Rendering;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Rendering;

public sealed class SafeLinkTests
{
    [Theory]
    [InlineData("https://example.com/a?b=c#d")]
    [InlineData("http://127.0.0.1:8080/x")]
    [InlineData("HTTPS://EXAMPLE.COM/")]
    [InlineData("mailto:somebody@example.com")]
    public void Web_and_mail_may_be_followed(string address) => SafeLink.Of(address).ShouldBe(address);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("folder/file.pdf")]
    [InlineData("/sign-out")]
    [InlineData("//evil.example")]
    [InlineData("#top")]
    [InlineData("javascript:alert(1)")]
    [InlineData("JavaScript:alert(1)")]
    [InlineData(" javascript:alert(1)")]
    [InlineData("java\tscript:alert(1)")]
    [InlineData("\u0001https://example.com")]
    [InlineData("https://example.com/\nX")]
    [InlineData("data:text/html,x")]
    [InlineData("vbscript:x")]
    [InlineData("blob:https://example.com/x")]
    [InlineData("view-source:https://example.com")]
    [InlineData("file:///etc/passwd")]
    [InlineData("\\\\host\\share")]
    [InlineData("https:\\\\example.com")]
    [InlineData("http:///nohost")]
    [InlineData("https://example.com/\"onclick=\"x")]
    [InlineData("ftp://example.com")]
    public void Everything_else_stays_text(string? address) => SafeLink.Of(address).ShouldBeNull();

    [Fact]
    public void An_endless_address_stays_text() => SafeLink.Of("https://example.com/" + new string('a', 5000)).ShouldBeNull();
}
