using System.Net;
using Ingestion.Core.Access;
using Ingestion.Tests.Admin;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access.Attacks;

/// <summary>Requests as no client library sends them: two lengths, two hosts, hostile hosts, endless headers.</summary>
public sealed class WireTests(ServedApp app) : IClassFixture<ServedApp>
{
    public static TheoryData<string, string> Smuggled => new()
    {
        { "length and chunks", "POST /api/v1/batches HTTP/1.1\r\nHost: {host}\r\nX-Api-Key: {key}\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/v1/me HTTP/1.1\r\nHost: {host}\r\nX-Api-Key: {key}\r\nConnection: close\r\n\r\n" },
        { "chunks and length", "POST /api/v1/batches HTTP/1.1\r\nHost: {host}\r\nX-Api-Key: {key}\r\nTransfer-Encoding: chunked\r\nContent-Length: 100\r\n\r\n0\r\n\r\nGET /api/v1/me HTTP/1.1\r\nHost: {host}\r\nX-Api-Key: {key}\r\nConnection: close\r\n\r\n" },
        { "two lengths", "POST /api/v1/batches HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!" },
        { "a length that is none", "POST /api/v1/batches HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5x\r\n\r\nhello" },
        { "another coding", "POST /api/v1/batches HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" },
        { "a blank before the colon", "POST /api/v1/batches HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" },
        { "a folded line", "GET /health HTTP/1.1\r\nHost: {host}\r\nX-A: b\r\n c\r\n\r\n" },
        { "a bare line feed in a value", "GET /health HTTP/1.1\r\nHost: {host}\r\nX-A: b\u0000c\r\n\r\n" },
        { "a chunk that lies", "POST /api/v1/batches HTTP/1.1\r\nHost: {host}\r\nX-Api-Key: {key}\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n" },
        { "no host", "GET /health HTTP/1.1\r\n\r\n" },
        { "two hosts", "GET /health HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n" },
    };

    [Theory]
    [MemberData(nameof(Smuggled))]
    public async Task Request_that_can_be_read_in_two_ways_is_refused_and_the_connection_ends(string what, string request)
    {
        var answer = await app.RawAsync(request.Replace("{host}", app.Host, StringComparison.Ordinal).Replace("{key}", AdminApp.Key, StringComparison.Ordinal));
        var answers = answer.Split("HTTP/1.1 ", StringSplitOptions.RemoveEmptyEntries);
        answers.Length.ShouldBe(1, $"{what}: {answer}");
        answers[0].ShouldStartWith("400");
        answer.ShouldNotContain("\"tenant\"", Case.Sensitive, what);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("localhost.evil.example:{port}")]
    [InlineData("localhost:{port}@evil.example")]
    [InlineData("evil.example#localhost:{port}")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("[::1].evil.example")]
    [InlineData("")]
    [InlineData("0.0.0.0:{port}")]
    [InlineData("2130706433:{port}")]
    public async Task Name_that_is_not_ours_is_refused(string host)
    {
        var answer = await app.RawAsync($"GET /sign-in HTTP/1.1\r\nHost: {host.Replace("{port}", $"{app.Port}", StringComparison.Ordinal)}\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
        answer.ShouldStartWith("HTTP/1.1 400");
        answer.ShouldNotContain("evil.example");
    }

    [Theory]
    [InlineData("X-Forwarded-Host: evil.example")]
    [InlineData("X-Host: evil.example")]
    [InlineData("Forwarded: host=evil.example")]
    [InlineData("X-Original-URL: /api/v1/me")]
    [InlineData("X-Rewrite-Url: /api/v1/me")]
    [InlineData("X-Forwarded-Prefix: //evil.example")]
    public async Task Header_of_a_proxy_that_nobody_named_changes_nothing(string header)
    {
        var person = await app.People.MakeAsync(Role.Administrator);
        const string body = "{\"name\":\"Bea\"}";
        var answer = await app.RawAsync($"POST /api/v1/invitations HTTP/1.1\r\nHost: {app.Host}\r\nX-Api-Key: {person.Key}\r\n{header}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}");
        answer.ShouldStartWith("HTTP/1.1 201");
        answer.ShouldContain($"\"link\":\"http://{app.Host}/invite?token=");
        answer.ShouldNotContain("evil.example");
    }

    [Theory]
    [InlineData("key", 40_000)]
    [InlineData("cookie", 40_000)]
    [InlineData("path", 40_000)]
    public async Task Endless_head_is_cut_off(string where, int length)
    {
        var filler = new string('a', length);
        var answer = await app.RawAsync(where switch
        {
            "key" => $"GET /api/v1/me HTTP/1.1\r\nHost: {app.Host}\r\nX-Api-Key: {filler}\r\n\r\n",
            "cookie" => $"GET /api/v1/me HTTP/1.1\r\nHost: {app.Host}\r\nCookie: ingestion={filler}\r\n\r\n",
            _ => $"GET /api/v1/{filler} HTTP/1.1\r\nHost: {app.Host}\r\n\r\n",
        });
        answer.ShouldMatch("^HTTP/1.1 (431|414|400)");
    }

    [Fact]
    public async Task Body_larger_than_a_route_takes_is_refused_before_it_is_read()
    {
        var answer = await app.RawAsync($"POST /api/v1/keys HTTP/1.1\r\nHost: {app.Host}\r\nX-Api-Key: {AdminApp.Key}\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n{{");
        answer.ShouldStartWith("HTTP/1.1 413");
        using var client = app.Client(AdminApp.Key);
        (await client.PostAsync("/api/v1/uploads/file?path=a&size=99999999999", new ByteArrayContent([]))).StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
    }
}
