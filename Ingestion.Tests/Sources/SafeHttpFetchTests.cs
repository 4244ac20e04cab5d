using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

/// <summary>What comes of a fetch when the other side behaves, says no, or only wants another address.</summary>
public sealed class SafeHttpFetchTests
{
    [Fact]
    public async Task Document_is_written_and_described()
    {
        var body = RandomNumberGenerator.GetBytes(300_000);
        var changed = new DateTimeOffset(2024, 1, 15, 10, 30, 0, TimeSpan.Zero);
        await using var server = await StubServer.StartAsync(async c =>
        {
            c.Response.ContentType = "Text/HTML; charset=\"ISO-8859-1\"";
            c.Response.Headers.ETag = "\"v1\"";
            c.Response.Headers.LastModified = changed.ToString("R", CultureInfo.InvariantCulture);
            c.Response.ContentLength = body.Length;
            await c.Response.Body.WriteAsync(body);
        });
        using var fetching = new Fetching(server.Target);
        var progress = new List<(long Bytes, long? Total)>();

        var result = await fetching.Http.FetchAsync(server.Url("/a?b=c"), fetching.File, fetching.Limits, progress: (b, t, _) => progress.Add((b, t)));

        result.FinalUrl.ShouldBe(server.Url("/a?b=c"));
        result.StatusCode.ShouldBe(200);
        result.MediaType.ShouldBe("text/html");
        result.Charset.ShouldBe("iso-8859-1");
        result.Length.ShouldBe(body.Length);
        result.Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(body)));
        result.ETag.ShouldBe("\"v1\"");
        result.LastModified.ShouldBe(changed);
        result.NotModified.ShouldBeFalse();
        (await File.ReadAllBytesAsync(fetching.File)).ShouldBe(body);
        progress[^1].ShouldBe((body.Length, body.Length));
        progress.Select(p => p.Bytes).ShouldBeInOrder();
    }

    [Fact]
    public async Task Request_names_the_product_and_carries_no_traces()
    {
        await using var server = await StubServer.StartAsync(c => c.Response.WriteAsync("ok"));
        using var fetching = new Fetching(server.Target);

        await fetching.FetchAsync(server.Url());

        var headers = server.Requests.ShouldHaveSingleItem().Headers;
        headers.UserAgent.ToString().ShouldStartWith("Ingestion/");
        headers.ShouldNotContainKey("traceparent");
        headers.ShouldNotContainKey("Request-Id");
    }

    [Theory]
    [InlineData(400, "http_client_error")]
    [InlineData(401, "access_denied")]
    [InlineData(403, "access_denied")]
    [InlineData(404, "not_found")]
    [InlineData(405, "http_client_error")]
    [InlineData(408, "throttled")]
    [InlineData(410, "gone")]
    [InlineData(418, "http_client_error")]
    [InlineData(429, "throttled")]
    [InlineData(451, "http_client_error")]
    [InlineData(500, "http_server_error")]
    [InlineData(502, "http_server_error")]
    [InlineData(503, "http_server_error")]
    [InlineData(504, "http_server_error")]
    [InlineData(304, "bad_content")]
    [InlineData(300, "bad_content")]
    [InlineData(206, "bad_content")]
    public async Task Status_has_its_code(int status, string code)
    {
        await using var server = await StubServer.StartAsync(async c =>
        {
            c.Response.StatusCode = status;
            if (status != 304)
                await c.Response.WriteAsync("an error page with secrets");
        });
        using var fetching = new Fetching(server.Target);

        var failure = await fetching.FailAsync(server.Url("/?token=hunter2"));

        failure.Code.Code.ShouldBe(code);
        failure.Message.ShouldNotContain("hunter2");
        failure.Message.ShouldNotContain("secrets");
    }

    [Theory]
    [InlineData(429, "120", 120)]
    [InlineData(503, "5", 5)]
    [InlineData(503, "0", 0)]
    [InlineData(429, "99999999", 86400)]
    public async Task Retry_after_in_seconds_is_passed_on(int status, string header, int seconds)
    {
        await using var server = await AnsweringAsync(status, header);
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url())).RetryAfter.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Theory]
    [InlineData(90, 90)]
    [InlineData(-90, 0)]
    public async Task Retry_after_as_a_date_is_passed_on(int ahead, int seconds)
    {
        var time = new SteppingTime();
        await using var server = await AnsweringAsync(429, time.GetUtcNow().AddSeconds(ahead).ToString("R", CultureInfo.InvariantCulture));
        using var fetching = new Fetching(Fetching.Options(server.Target), time: time);

        (await fetching.FailAsync(server.Url())).RetryAfter.ShouldBe(TimeSpan.FromSeconds(seconds));
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("-5")]
    [InlineData(null)]
    public async Task Unreadable_retry_after_says_nothing(string? header)
    {
        await using var server = await AnsweringAsync(429, header);
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url())).RetryAfter.ShouldBeNull();
    }

    [Fact]
    public async Task Conditions_are_sent_and_an_unchanged_document_is_not_written()
    {
        var changed = new DateTimeOffset(2024, 1, 15, 10, 30, 0, TimeSpan.Zero);
        await using var server = await StubServer.StartAsync(c =>
        {
            c.Response.StatusCode = c.Request.Headers.IfNoneMatch == "W/\"v1\"" ? 304 : 200;
            c.Response.Headers.ETag = "W/\"v1\"";
            return Task.CompletedTask;
        });
        using var fetching = new Fetching(server.Target);

        var result = await fetching.FetchAsync(server.Url(), new FetchConditions("W/\"v1\"", changed));

        result.NotModified.ShouldBeTrue();
        result.StatusCode.ShouldBe(304);
        result.ETag.ShouldBe("W/\"v1\"");
        File.Exists(fetching.File).ShouldBeFalse();
        server.Requests[0].Headers.IfModifiedSince.ToString().ShouldBe("Mon, 15 Jan 2024 10:30:00 GMT");
    }

    [Fact]
    public async Task Changed_document_is_written_in_spite_of_conditions()
    {
        await using var server = await StubServer.StartAsync(c =>
        {
            c.Response.Headers.ETag = "\"v2\"";
            return c.Response.WriteAsync("new");
        });
        using var fetching = new Fetching(server.Target);

        var result = await fetching.FetchAsync(server.Url(), new FetchConditions("\"v1\""));

        result.NotModified.ShouldBeFalse();
        result.ETag.ShouldBe("\"v2\"");
        result.Length.ShouldBe(3);
    }

    [Fact]
    public async Task Redirects_are_followed_and_listed()
    {
        await using var server = await StubServer.StartAsync(c =>
        {
            var n = int.Parse(c.Request.Path.Value![1..], CultureInfo.InvariantCulture);
            if (n == 5)
                return c.Response.WriteAsync("here");
            c.Response.StatusCode = 301 + (n % 2);
            c.Response.Headers.Location = n == 2 ? $"//{c.Request.Host}/3" : $"/{n + 1}";
            return Task.CompletedTask;
        });
        using var fetching = new Fetching(server.Target);

        var result = await fetching.FetchAsync(server.Url("/0"));

        result.FinalUrl.ShouldBe(server.Url("/5"));
        result.Redirects.ShouldBe([server.Url("/1"), server.Url("/2"), server.Url("/3"), server.Url("/4"), server.Url("/5")]);
        result.LostEncryption.ShouldBeFalse();
    }

    [Fact]
    public async Task Twenty_redirects_are_too_many()
    {
        await using var server = await StubServer.StartAsync(c =>
        {
            c.Response.Redirect($"/{int.Parse(c.Request.Path.Value![1..], CultureInfo.InvariantCulture) + 1}");
            return Task.CompletedTask;
        });
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url("/0"))).Code.ShouldBe(ErrorCodes.TooManyRedirects);
        server.Requests.Count.ShouldBe(6);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/#part")]
    [InlineData("/b")]
    public async Task Redirects_in_a_circle_are_noticed(string location)
    {
        await using var server = await StubServer.StartAsync(c =>
        {
            c.Response.Redirect(c.Request.Path == "/b" ? "/" : location);
            return Task.CompletedTask;
        });
        using var fetching = new Fetching(server.Target);

        var failure = await fetching.FailAsync(server.Url());

        failure.Code.ShouldBe(ErrorCodes.TooManyRedirects);
        server.Requests.Count.ShouldBeLessThanOrEqualTo(2);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    public async Task Redirect_to_nowhere_is_bad_content(string? location)
    {
        await using var server = await StubServer.StartAsync(c =>
        {
            c.Response.StatusCode = 302;
            c.Response.Headers.Location = location;
            return Task.CompletedTask;
        });
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url())).Code.ShouldBe(ErrorCodes.BadContent);
    }

    [Theory]
    [InlineData(@"\\127.0.0.1\x")]
    [InlineData("http://exa mple.com/")]
    [InlineData("http://")]
    public async Task Redirect_to_what_is_no_address_is_invalid(string location)
    {
        await using var server = new RawServer($"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url)).Code.ShouldBe(ErrorCodes.InvalidUrl);
    }

    [Fact]
    public async Task Fetch_that_is_cancelled_says_so_and_leaves_no_file()
    {
        using var cancel = new CancellationTokenSource();
        await using var server = await StubServer.StartAsync(async c =>
        {
            await c.Response.WriteAsync("begin");
            await c.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, c.RequestAborted);
        });
        using var fetching = new Fetching(server.Target);

        await Should.ThrowAsync<OperationCanceledException>(() =>
            fetching.Http.FetchAsync(server.Url(), fetching.File, fetching.Limits, progress: (_, _, _) => cancel.Cancel(), ct: cancel.Token));

        File.Exists(fetching.File).ShouldBeFalse();
    }

    [Fact]
    public async Task Full_disk_is_told_from_a_failing_network()
    {
        await using var server = await StubServer.StartAsync(c => c.Response.WriteAsync("does not fit"));
        using var fetching = new Fetching(server.Target);
        // Every write to this device fails for want of space.
        File.CreateSymbolicLink(fetching.File, "/dev/full");

        (await fetching.FailAsync(server.Url())).Code.ShouldBe(ErrorCodes.StorageFull);
    }

    [Fact]
    public async Task Small_request_gets_status_headers_and_body()
    {
        await using var server = await StubServer.StartAsync(async c =>
        {
            using var reader = new StreamReader(c.Request.Body);
            c.Response.StatusCode = 422;
            c.Response.ContentType = "application/json";
            c.Response.Headers["X-Answer"] = c.Request.Method;
            await c.Response.WriteAsync(await reader.ReadToEndAsync());
        });
        using var fetching = new Fetching(server.Target);
        using var request = new HttpRequestMessage(HttpMethod.Post, server.Url()) { Content = new StringContent("{\"a\":1}") };

        var response = await fetching.Http.SendAsync(request, new FetchLimits(1000, TimeSpan.FromSeconds(30)));

        response.StatusCode.ShouldBe(422);
        response.MediaType.ShouldBe("application/json");
        response.Headers.GetValues("X-Answer").ShouldBe(["POST"]);
        Encoding.UTF8.GetString(response.Body).ShouldBe("{\"a\":1}");
        response.Truncated.ShouldBeFalse();
    }

    [Theory]
    [InlineData(999, false)]
    [InlineData(1000, false)]
    [InlineData(1001, true)]
    [InlineData(10_000_000, true)]
    public async Task Small_request_keeps_no_more_than_was_allowed(int length, bool truncated)
    {
        await using var server = await StubServer.StartAsync(async c =>
        {
            c.Features.Get<IHttpResponseBodyFeature>()!.DisableBuffering();
            for (var left = length; left > 0; left -= 50_000)
                await c.Response.WriteAsync(new string('x', Math.Min(left, 50_000)));
        });
        using var fetching = new Fetching(server.Target);
        using var request = new HttpRequestMessage(HttpMethod.Get, server.Url());

        var response = await fetching.Http.SendAsync(request, new FetchLimits(1000, TimeSpan.FromSeconds(30)));

        response.Body.Length.ShouldBe(Math.Min(length, 1000));
        response.Truncated.ShouldBe(truncated);
    }

    [Fact]
    public async Task Small_request_follows_no_redirect_and_reaches_no_private_place()
    {
        await using var silent = new RawServer("HTTP/1.1 200 OK\r\n\r\n");
        await using var server = await StubServer.StartAsync(c =>
        {
            c.Response.Redirect(silent.Url.AbsoluteUri);
            return Task.CompletedTask;
        });
        using var fetching = new Fetching(server.Target);
        using var first = new HttpRequestMessage(HttpMethod.Get, server.Url());
        using var second = new HttpRequestMessage(HttpMethod.Get, silent.Url);

        (await fetching.Http.SendAsync(first, fetching.Limits)).StatusCode.ShouldBe(302);
        (await Should.ThrowAsync<IngestionException>(() => fetching.Http.SendAsync(second, fetching.Limits))).Code.ShouldBe(ErrorCodes.BlockedUrl);

        silent.Connections.ShouldBe(0);
    }

    private static Task<StubServer> AnsweringAsync(int status, string? retryAfter) => StubServer.StartAsync(c =>
    {
        c.Response.StatusCode = status;
        c.Response.Headers.RetryAfter = retryAfter;
        return Task.CompletedTask;
    });
}
