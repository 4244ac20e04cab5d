using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

/// <summary>Servers that are slow, endless, broken or hostile.</summary>
public sealed class SafeHttpFaultTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(150);

    [Fact]
    public async Task Announced_length_over_the_limit_is_refused_before_the_body()
    {
        var asked = false;
        await using var server = new RawServer(async (socket, ct) =>
        {
            await SendAsync(socket, "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", ct);
            asked = await socket.ReceiveAsync(new byte[1], ct) > 0;
        });
        using var fetching = new Fetching(server.Target) { Limits = new FetchLimits(1000, TimeSpan.FromSeconds(30)) };

        (await fetching.FailAsync(server.Url)).Code.ShouldBe(ErrorCodes.TooLarge);
        asked.ShouldBeFalse();
    }

    [Fact]
    public async Task Endless_body_ends_at_the_limit()
    {
        await using var server = new RawServer(async (socket, ct) =>
        {
            await SendAsync(socket, "HTTP/1.1 200 OK\r\n\r\n", ct);
            var block = new byte[64 * 1024];
            while (true)
                await socket.SendAsync(block, ct);
        });
        using var fetching = new Fetching(server.Target) { Limits = new FetchLimits(3_000_000, TimeSpan.FromSeconds(30)) };

        (await fetching.FailAsync(server.Url)).Code.ShouldBe(ErrorCodes.TooLarge);
    }

    [Fact]
    public async Task Body_that_trickles_is_given_up()
    {
        await using var server = new RawServer(async (socket, ct) =>
        {
            await SendAsync(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", ct);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (await timer.WaitForNextTickAsync(ct))
                await socket.SendAsync(new byte[1], ct);
        });
        using var fetching = new Fetching(Slow(server.Target));

        var failure = await fetching.FailAsync(server.Url);

        failure.Code.ShouldBe(ErrorCodes.FetchTimeout);
        failure.Message.ShouldContain("too slowly");
    }

    [Fact]
    public async Task Body_that_falls_silent_is_given_up()
    {
        await using var server = new RawServer(async (socket, ct) =>
        {
            await SendAsync(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + new string('x', 50_000), ct);
            await Task.Delay(Timeout.Infinite, ct);
        });
        using var fetching = new Fetching(Slow(server.Target));

        (await fetching.FailAsync(server.Url)).Code.ShouldBe(ErrorCodes.FetchTimeout);
    }

    [Fact]
    public async Task Body_that_keeps_the_pace_may_take_longer_than_the_window()
    {
        await using var server = new RawServer(async (socket, ct) =>
        {
            await SendAsync(socket, "HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n", ct);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(40));
            for (var sent = 0; sent < 400_000 && await timer.WaitForNextTickAsync(ct); sent += 10_000)
                await socket.SendAsync(new byte[10_000], ct);
        });
        var options = Slow(server.Target);
        options.RateWindow = TimeSpan.FromSeconds(0.7);
        using var fetching = new Fetching(options);

        (await fetching.FetchAsync(server.Url)).Length.ShouldBe(400_000);
    }

    [Fact]
    public async Task Server_that_never_answers_is_given_up()
    {
        await using var server = new RawServer((_, ct) => Task.Delay(Timeout.Infinite, ct));
        var options = Fetching.Options(server.Target);
        options.HeadersTimeout = Moment;
        using var fetching = new Fetching(options);

        var failure = await fetching.FailAsync(server.Url);

        failure.Code.ShouldBe(ErrorCodes.FetchTimeout);
        failure.Message.ShouldContain("did not answer");
    }

    [Fact]
    public async Task Headers_that_trickle_are_given_up()
    {
        await using var server = new RawServer(async (socket, ct) =>
        {
            await SendAsync(socket, "HTTP/1.1 200 OK\r\n", ct);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
            while (await timer.WaitForNextTickAsync(ct))
                await SendAsync(socket, "X-A: b\r\n", ct);
        });
        var options = Fetching.Options(server.Target);
        options.HeadersTimeout = Moment;
        using var fetching = new Fetching(options);

        (await fetching.FailAsync(server.Url)).Code.ShouldBe(ErrorCodes.FetchTimeout);
    }

    [Fact]
    public async Task Connection_that_does_not_come_about_is_given_up()
    {
        var options = Fetching.Options();
        options.ConnectTimeout = Moment;
        using var fetching = new Fetching(
            options,
            (_, _) => Task.FromResult(new[] { IPAddress.Parse("93.184.216.34") }),
            async (_, ct) =>
            {
                await Task.Delay(Timeout.Infinite, ct);
                return Stream.Null;
            });

        var failure = await fetching.FailAsync("http://silent.example.com/");

        failure.Code.ShouldBe(ErrorCodes.FetchTimeout);
        failure.Message.ShouldContain("could not be connected");
    }

    [Fact]
    public async Task Name_service_that_does_not_answer_is_given_up()
    {
        var options = Fetching.Options();
        options.ConnectTimeout = Moment;
        using var fetching = new Fetching(options, async (_, ct) =>
        {
            await Task.Delay(Timeout.Infinite, ct);
            return [];
        });

        (await fetching.FailAsync("http://silent.example.com/")).Code.ShouldBe(ErrorCodes.FetchTimeout);
    }

    [Fact]
    public async Task Whole_fetch_has_its_time_however_it_is_spent()
    {
        await using var server = new RawServer(async (socket, ct) =>
        {
            await SendAsync(socket, "HTTP/1.1 200 OK\r\n\r\n", ct);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
            while (await timer.WaitForNextTickAsync(ct))
                await socket.SendAsync(new byte[1000], ct);
        });
        using var fetching = new Fetching(server.Target) { Limits = new FetchLimits(1_000_000_000, Moment) };

        var failure = await fetching.FailAsync(server.Url);

        failure.Code.ShouldBe(ErrorCodes.FetchTimeout);
        failure.Message.ShouldContain("did not finish");
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "network_error")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "network_error")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\nabc\r\n0\r\n\r\n", "bad_content")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n", "bad_content")]
    [InlineData("HTTP/1.1 OK\r\n\r\n", "bad_content")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "bad_content")]
    [InlineData("220 mail ESMTP\r\n", "bad_content")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", "bad_content")]
    [InlineData("", "network_error")]
    public async Task Broken_answer_has_its_code(string answer, string code)
    {
        await using var server = new RawServer(answer);
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url)).Code.Code.ShouldBe(code);
    }

    [Fact]
    public async Task Headers_without_end_are_bad_content()
    {
        await using var server = new RawServer("HTTP/1.1 200 OK\r\nX-Long: " + new string('x', 200_000) + "\r\n\r\n");
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url)).Code.ShouldBe(ErrorCodes.BadContent);
    }

    [Theory]
    [InlineData("HTTP/1.0 200 OK\r\n\r\nuntil the end", 13)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end", 13)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlonger than announced", 5)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 2)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: nonsense; =\r\nETag: unquoted\r\nLast-Modified: never\r\nContent-Length: 2\r\n\r\nok", 2)]
    public async Task Old_and_sloppy_servers_are_understood(string answer, int length)
    {
        await using var server = new RawServer(answer);
        using var fetching = new Fetching(server.Target);

        (await fetching.FetchAsync(server.Url)).Length.ShouldBe(length);
    }

    [Fact]
    public async Task Broken_connection_is_a_network_error()
    {
        await using var server = new RawServer(async (socket, ct) =>
        {
            await SendAsync(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", ct);
            socket.LingerState = new LingerOption(true, 0);
            socket.Close();
        });
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url)).Code.ShouldBe(ErrorCodes.NetworkError);
    }

    [Fact]
    public async Task Refused_connection_is_a_network_error()
    {
        var port = 0;
        await using (var gone = new RawServer(""))
            port = gone.Port;
        using var fetching = new Fetching($"127.0.0.1:{port}");

        var failure = await fetching.FailAsync($"http://127.0.0.1:{port}/");

        failure.Code.ShouldBe(ErrorCodes.NetworkError);
        failure.Message.ShouldContain("refused the connection");
    }

    [Theory]
    [InlineData(SocketError.HostNotFound, "does not exist")]
    [InlineData(SocketError.NoData, "does not exist")]
    [InlineData(SocketError.TryAgain, "could not be looked up")]
    public async Task Failing_look_up_is_a_network_error(SocketError error, string words)
    {
        using var fetching = new Fetching(Fetching.Options(), (_, _) => throw new SocketException((int)error));

        var failure = await fetching.FailAsync("http://nowhere.example.com/?token=hunter2");

        failure.Code.ShouldBe(ErrorCodes.NetworkError);
        failure.Message.ShouldBe($"The name nowhere.example.com {words}.");
    }

    [Fact]
    public async Task Certificate_that_nobody_vouches_for_is_named()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=elsewhere", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var server = await StubServer.StartAsync(c => c.Response.WriteAsync("ok"), l => l.UseHttps(certificate));
        using var fetching = new Fetching(server.Target);

        var failure = await fetching.FailAsync($"https://{server.Target}/");

        failure.Code.ShouldBe(ErrorCodes.NetworkError);
        failure.Message.ShouldContain("TLS certificate");
        server.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Plain_server_behind_an_https_address_is_a_network_error()
    {
        await using var server = new RawServer("HTTP/1.1 400 Bad Request\r\n\r\n");
        // Its listener waits for an HTTP request and gets a handshake without an empty line, so it goes on waiting.
        var options = Fetching.Options(server.Target);
        options.ConnectTimeout = Moment;
        using var fetching = new Fetching(options);

        var failure = await fetching.FailAsync($"https://{server.Target}/");

        failure.Code.Retries.ShouldBeTrue();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("x-gzip")]
    [InlineData("GZIP")]
    [InlineData("br")]
    [InlineData("deflate")]
    [InlineData("raw deflate")]
    [InlineData("identity")]
    public async Task Compressed_body_is_written_decompressed(string coding)
    {
        var text = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"line {i}\n"));
        await using var server = await CompressingAsync(coding, Encoding.UTF8.GetBytes(text));
        using var fetching = new Fetching(server.Target);

        var result = await fetching.FetchAsync(server.Url());

        (await File.ReadAllTextAsync(fetching.File)).ShouldBe(text);
        result.Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task Bomb_ends_at_the_ratio(string coding)
    {
        await using var server = await CompressingAsync(coding, new byte[50_000_000]);
        using var fetching = new Fetching(server.Target) { Limits = new FetchLimits(1_000_000_000, TimeSpan.FromSeconds(30)) };

        (await fetching.FailAsync(server.Url())).Code.ShouldBe(ErrorCodes.LimitExceeded);
    }

    [Fact]
    public async Task Bomb_ends_at_the_size()
    {
        await using var server = await CompressingAsync("gzip", new byte[5_000_000]);
        using var fetching = new Fetching(server.Target) { Limits = new FetchLimits(500_000, TimeSpan.FromSeconds(30)) };

        (await fetching.FailAsync(server.Url())).Code.ShouldBe(ErrorCodes.TooLarge);
    }

    [Theory]
    [InlineData("zstd")]
    [InlineData("compress")]
    [InlineData("gzip, gzip")]
    public async Task Compression_that_was_not_asked_for_is_bad_content(string coding)
    {
        await using var server = new RawServer($"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 3\r\n\r\nabc");
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url)).Code.ShouldBe(ErrorCodes.BadContent);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task Body_that_is_not_what_its_compression_says_is_bad_content(string coding)
    {
        await using var server = new RawServer($"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 26\r\n\r\nthis is not compressed text");
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url)).Code.ShouldBe(ErrorCodes.BadContent);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task Compressed_body_without_its_end_is_bad_content(string coding)
    {
        var whole = Compress(coding, RandomNumberGenerator.GetBytes(100_000));
        await using var server = await StubServer.StartAsync(async c =>
        {
            c.Response.Headers.ContentEncoding = coding;
            await c.Response.Body.WriteAsync(whole.AsMemory(0, whole.Length / 2));
        });
        using var fetching = new Fetching(server.Target);

        (await fetching.FailAsync(server.Url())).Code.ShouldBe(ErrorCodes.BadContent);
    }

    private static AcquireOptions Slow(string target)
    {
        var options = Fetching.Options(target);
        options.MinBytesPerSecond = 10_000;
        options.RateWindow = Moment;
        return options;
    }

    private static Task<StubServer> CompressingAsync(string coding, byte[] body)
    {
        var compressed = Compress(coding, body);
        return StubServer.StartAsync(async c =>
        {
            c.Response.Headers.ContentEncoding = coding == "raw deflate" ? "deflate" : coding;
            c.Response.ContentLength = compressed.Length;
            await c.Response.Body.WriteAsync(compressed);
        });
    }

    private static byte[] Compress(string coding, byte[] body)
    {
        using var compressed = new MemoryStream();
        using (Stream stream = coding.ToLowerInvariant() switch
        {
            "gzip" or "x-gzip" => new GZipStream(compressed, CompressionLevel.Fastest),
            "br" => new BrotliStream(compressed, CompressionLevel.Fastest),
            "deflate" => new ZLibStream(compressed, CompressionLevel.Fastest),
            "raw deflate" => new DeflateStream(compressed, CompressionLevel.Fastest),
            _ => new BufferedStream(compressed),
        })
        {
            stream.Write(body);
        }
        return compressed.ToArray();
    }

    private static async Task SendAsync(Socket socket, string text, CancellationToken ct) => await socket.SendAsync(Encoding.Latin1.GetBytes(text), ct);
}
