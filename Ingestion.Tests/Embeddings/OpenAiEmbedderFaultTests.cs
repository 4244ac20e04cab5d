using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Embeddings;

/// <summary>A service that fails in every way we could think of: each ends in a code, and no vector gets through.</summary>
public sealed class OpenAiEmbedderFaultTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static async Task<IngestionException> FailureAsync(StubEmbeddingService service, string key = "sk-secret-0123456789abcdef", TimeProvider? time = null, int? dimensions = null)
    {
        using var embedder = service.Connect(key: key, time: time, dimensions: dimensions);
        return await Should.ThrowAsync<IngestionException>(() => embedder.GenerateAsync(["first", "second"]).WaitAsync(Patience));
    }

    private static async Task<IngestionException> FailureAsync(string body, int status = 200, Action<HttpContext>? headers = null)
    {
        await using var service = await StubEmbeddingService.AnsweringAsync(body, status, headers);
        return await FailureAsync(service);
    }

    [Theory]
    [InlineData("a web page", "<!doctype html><title>Sign in</title>")]
    [InlineData("not the expected JSON", "")]
    [InlineData("not the expected JSON", "null")]
    [InlineData("not the expected JSON", "[]")]
    [InlineData("without any vectors", "{}")]
    [InlineData("not the expected JSON", """{"data":null}""")]
    [InlineData("not the expected JSON", """{"data":{"index":0,"embedding":[1]}}""")]
    [InlineData("0 vectors for 2 texts", """{"data":[]}""")]
    [InlineData("1 vectors for 2 texts", """{"data":[{"index":0,"embedding":[1,2]}]}""")]
    [InlineData("of 2 that were sent", """{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]},{"index":2,"embedding":[1]}]}""")]
    [InlineData("of 2 that were sent", """{"data":[{"index":-1,"embedding":[1]},{"index":1,"embedding":[1]}]}""")]
    [InlineData("two vectors for text 1", """{"data":[{"index":1,"embedding":[1]},{"index":1,"embedding":[2]}]}""")]
    [InlineData("does not say which text", """{"data":[{"embedding":[1]},{"embedding":[2]}]}""")]
    [InlineData("has no vector", """{"data":[{"index":0},{"index":1}]}""")]
    [InlineData("empty vector", """{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]}""")]
    [InlineData("empty vector", """{"data":[{"index":0,"embedding":""},{"index":1,"embedding":""}]}""")]
    [InlineData("middle of a number", """{"data":[{"index":0,"embedding":"AAAAAAA="},{"index":1,"embedding":"AAAAAAA="}]}""")]
    [InlineData("not the expected JSON", """{"data":[{"index":0,"embedding":"not base64!"},{"index":1,"embedding":[1]}]}""")]
    [InlineData("vector of zeros", """{"data":[{"index":0,"embedding":[0,0]},{"index":1,"embedding":[0,1]}]}""")]
    [InlineData("not the expected JSON", """{"data":[{"index":0,"embedding":[NaN,1]},{"index":1,"embedding":[1,1]}]}""")]
    [InlineData("not the expected JSON", """{"data":[{"index":0,"embedding":["NaN",1]},{"index":1,"embedding":[1,1]}]}""")]
    [InlineData("not the expected JSON", """{"data":[{"index":0,"embedding":[Infinity,1]},{"index":1,"embedding":[1,1]}]}""")]
    [InlineData("not the expected JSON", """{"data":[{"index":0,"embedding":[null,1]},{"index":1,"embedding":[1,1]}]}""")]
    [InlineData("not a finite number", """{"data":[{"index":0,"embedding":[1e400,1]},{"index":1,"embedding":[1,1]}]}""")]
    [InlineData("not a finite number", """{"data":[{"index":0,"embedding":[-1e39,1]},{"index":1,"embedding":[1,1]}]}""")]
    [InlineData("not a finite number", """{"data":[{"index":0,"embedding":"AADAfwAAgD8="},{"index":1,"embedding":[1,1]}]}""")]
    [InlineData("1 dimensions where 2", """{"data":[{"index":0,"embedding":[1,2]},{"index":1,"embedding":[1]}]}""")]
    [InlineData("not the expected JSON", """{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]}]} trailing""")]
    [InlineData("not the expected JSON", """{"data":[{"index":0.5,"embedding":[1]},{"index":1,"embedding":[1]}]}""")]
    [InlineData("an error: “the model is asleep”", """{"error":{"message":"the model is asleep"}}""")]
    [InlineData("an error: “asleep”", """{"error":"asleep"}""")]
    public async Task A_wrong_answer_is_invalid(string said, string body)
    {
        var failure = await FailureAsync(body);
        failure.Code.ShouldBe(ErrorCodes.EmbeddingInvalid);
        failure.Message.ShouldContain(said);
    }

    [Theory]
    [InlineData("""{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}""", "embedding_quota")]
    [InlineData("""{"error":{"message":"slow down","code":"rate_limit_exceeded"}}""", "embedding_throttled")]
    [InlineData("""{"error":{"message":"This model's maximum context length is 8192 tokens"}}""", "embedding_refused")]
    public async Task An_error_in_a_success_is_what_it_says(string body, string code) => (await FailureAsync(body)).Code.Code.ShouldBe(code);

    [Theory]
    [InlineData(500, "embedding_unavailable")]
    [InlineData(502, "embedding_unavailable")]
    [InlineData(503, "embedding_unavailable")]
    [InlineData(504, "embedding_unavailable")]
    [InlineData(529, "embedding_unavailable")]
    [InlineData(408, "embedding_unavailable")]
    [InlineData(429, "embedding_throttled")]
    [InlineData(400, "embedding_refused")]
    [InlineData(401, "embedding_refused")]
    [InlineData(402, "embedding_quota")]
    [InlineData(403, "embedding_refused")]
    [InlineData(404, "embedding_refused")]
    [InlineData(413, "embedding_refused")]
    [InlineData(422, "embedding_refused")]
    [InlineData(301, "embedding_refused")]
    [InlineData(304, "embedding_refused")]
    public async Task A_status_alone_decides(int status, string code)
    {
        var failure = await FailureAsync(status == 304 ? "" : "<html>sorry</html>", status);
        failure.Code.Code.ShouldBe(code);
        failure.Message.ShouldContain(status == 429 ? "slow down" : status == 402 ? "quota" : status.ToString());
    }

    [Fact]
    public async Task A_used_up_quota_is_not_a_throttle()
    {
        var failure = await FailureAsync("""{"error":{"message":"Check your plan.","type":"insufficient_quota"}}""", 429, c => c.Response.Headers.RetryAfter = "5");
        failure.Code.ShouldBe(ErrorCodes.EmbeddingQuota);
        failure.Message.ShouldContain("Check your plan");
    }

    [Theory]
    [InlineData("Retry-After", "7", 7.0)]
    [InlineData("Retry-After", "0", 0.0)]
    [InlineData("Retry-After", "Sun, 01 Mar 2026 12:00:45 GMT", 45.0)]
    [InlineData("Retry-After", "Sun, 01 Mar 2020 12:00:45 GMT", 0.0)]
    [InlineData("Retry-After", "Sun, 01 Mar 2099 12:00:45 GMT", 86400.0)]
    [InlineData("Retry-After", "soon", null)]
    [InlineData("Retry-After", "99999999999999999999", null)]
    [InlineData("retry-after-ms", "1500", 1.5)]
    [InlineData("X-Other", "1", null)]
    public async Task Retry_After_is_read(string header, string value, double? seconds)
    {
        foreach (var status in (int[])[429, 503])
        {
            await using var service = await StubEmbeddingService.AnsweringAsync("{}", status, c => c.Response.Headers[header] = value);
            var failure = await FailureAsync(service, time: new ManualTime());
            failure.RetryAfter.ShouldBe(seconds is { } s ? TimeSpan.FromSeconds(s) : null);
        }
    }

    [Fact]
    public async Task A_text_too_long_is_refused_by_name()
    {
        var failure = await FailureAsync("""{"error":{"message":"This model's maximum context length is 8192 tokens, however you requested 9000.","code":"context_length_exceeded"}}""", 400);
        failure.Code.ShouldBe(ErrorCodes.EmbeddingRefused);
        failure.Message.ShouldContain("context length");
    }

    [Theory]
    [InlineData("Incorrect API key provided: sk-secret-0123456789abcdef. You can find it elsewhere.")]
    [InlineData("Incorrect API key provided: sk-sec**********cdef.")]
    [InlineData("Header was Bearer abc.def.ghi of org-A1b2C3d4E5")]
    [InlineData("token eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9 expired")]
    public async Task A_key_is_never_repeated(string words)
    {
        var failure = await FailureAsync($$"""{"error":{"message":"{{words}}" } }""", 401);
        failure.Message.ShouldContain("***");
        foreach (var secret in (string[])["sk-sec", "cdef", "abc.def", "A1b2C3", "eyJhbGci"]) failure.ToString().ShouldNotContain(secret);
    }

    [Fact]
    public async Task A_long_message_is_cut_to_one_clean_line()
    {
        var failure = await FailureAsync($$"""{"error":{"message":"line one\n\tline two \u0007{{new string('x', 50_000)}}" } }""", 403);
        failure.Message.ShouldContain("line one line two x");
        failure.Message.Length.ShouldBeLessThan(400);
    }

    [Fact]
    public async Task An_error_page_of_any_size_is_not_read_to_its_end() =>
        (await FailureAsync(new string('x', 10_000_000), 500)).Code.ShouldBe(ErrorCodes.EmbeddingUnavailable);

    [Fact]
    public async Task A_ten_megabyte_string_is_no_vector()
    {
        var text = new string('A', 10 << 20);
        var failure = await FailureAsync($$"""{"data":[{"index":0,"embedding":"{{text}}"},{"index":1,"embedding":"{{text}}"}]}""");
        failure.Code.ShouldBe(ErrorCodes.EmbeddingInvalid);
    }

    [Fact]
    public async Task A_gzip_bomb_is_cut_off()
    {
        var bomb = new MemoryStream();
        await using (var gzip = new GZipStream(bomb, CompressionLevel.Fastest, leaveOpen: true))
        {
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 200; i++) await gzip.WriteAsync(zeros);
        }
        await using var service = await StubEmbeddingService.StartAsync(async (context, _) =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            await context.Response.Body.WriteAsync(bomb.ToArray());
        });
        var failure = await FailureAsync(service);
        failure.Code.ShouldBe(ErrorCodes.EmbeddingInvalid);
        failure.Message.ShouldContain("more than 64 MB");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("made-up")]
    public async Task A_false_compression_is_invalid(string encoding) =>
        (await FailureAsync("""{"data":[]}""", 200, c => c.Response.Headers.ContentEncoding = encoding)).Code.ShouldBe(ErrorCodes.EmbeddingInvalid);

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var elsewhere = await StubEmbeddingService.AnsweringAsync("""{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1]}]}""");
        foreach (var target in (string[])["http://169.254.169.254/latest/meta-data", elsewhere.Endpoint + "/embeddings"])
        {
            var failure = await FailureAsync("", 307, c => c.Response.Headers.Location = target);
            failure.Code.ShouldBe(ErrorCodes.EmbeddingRefused);
            failure.Message.ShouldContain("redirect");
        }
        elsewhere.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_hanging_service_is_given_up_after_the_timeout()
    {
        var time = new ManualTime();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await StubEmbeddingService.StartAsync((context, _) =>
        {
            asked.SetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        var failing = FailureAsync(service, time: time);
        await asked.Task.WaitAsync(Patience);
        time.Advance(TimeSpan.FromSeconds(59));
        failing.IsCompleted.ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(1));
        var failure = await failing;
        failure.Code.ShouldBe(ErrorCodes.EmbeddingUnavailable);
        failure.Message.ShouldContain("60 s");
    }

    [Fact]
    public async Task A_service_that_stops_in_mid_answer_is_given_up_too()
    {
        var time = new ManualTime();
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await StubEmbeddingService.StartAsync(async (context, _) =>
        {
            await context.Response.WriteAsync("""{"data":[{"index":0,"embedding":[0.1,""");
            await context.Response.Body.FlushAsync();
            sent.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        var failing = FailureAsync(service, time: time);
        await sent.Task.WaitAsync(Patience);
        time.Advance(TimeSpan.FromSeconds(60));
        (await failing).Code.ShouldBe(ErrorCodes.EmbeddingUnavailable);
    }

    [Fact]
    public async Task A_callers_cancel_is_a_cancel_not_a_failure()
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var service = await StubEmbeddingService.StartAsync((context, _) =>
        {
            asked.SetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        using var embedder = service.Connect();
        using var cancel = new CancellationTokenSource();
        var call = embedder.GenerateAsync(["t"], cancellationToken: cancel.Token);
        await asked.Task.WaitAsync(Patience);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => call.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_reset_in_mid_body_is_unavailable()
    {
        await using var service = await StubEmbeddingService.StartAsync(async (context, _) =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.WriteAsync("""{"data":[""");
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        (await FailureAsync(service)).Code.ShouldBe(ErrorCodes.EmbeddingUnavailable);
    }

    [Fact]
    public async Task What_is_no_HTTP_at_all_is_unavailable()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answering = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
        });
        using var embedder = Connect($"http://{listener.LocalEndpoint}/v1");
        var failure = await Should.ThrowAsync<IngestionException>(() => embedder.GenerateAsync(["t"]).WaitAsync(Patience));
        failure.Code.ShouldBe(ErrorCodes.EmbeddingUnavailable);
        await answering;
    }

    [Fact]
    public async Task Connection_refused_is_unavailable()
    {
        int port;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }
        using var embedder = Connect($"http://127.0.0.1:{port}/v1");
        var failure = await Should.ThrowAsync<IngestionException>(() => embedder.GenerateAsync(["t"]).WaitAsync(Patience));
        failure.Code.ShouldBe(ErrorCodes.EmbeddingUnavailable);
        failure.Message.ShouldContain($"127.0.0.1:{port}");
    }

    [Fact]
    public async Task A_certificate_of_its_own_making_is_not_trusted()
    {
        await using var service = await StubEmbeddingService.StartAsync((context, _) => context.Response.WriteAsync("{}"), tls: true);
        var failure = await FailureAsync(service);
        failure.Code.ShouldBe(ErrorCodes.EmbeddingUnavailable);
        failure.Message.ShouldContain("certificate");
        service.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Vectors_of_another_length_than_configured_are_invalid()
    {
        await using var service = await StubEmbeddingService.AnsweringAsync("""{"data":[{"index":0,"embedding":[1,2,3]},{"index":1,"embedding":[1,2,3]}]}""");
        (await FailureAsync(service, dimensions: 4)).Message.ShouldContain("3 dimensions where 4");
    }

    [Fact]
    public async Task A_length_that_changes_in_mid_run_is_invalid_and_the_old_one_stays_good()
    {
        var vector = "[1,2,3]";
        await using var service = await StubEmbeddingService.StartAsync((context, _) => context.Response.WriteAsync($$"""{"data":[{"index":0,"embedding":{{vector}}}]}"""));
        using var embedder = service.Connect();
        await embedder.GenerateAsync(["t"]);
        vector = "[1,2]";
        (await Should.ThrowAsync<IngestionException>(() => embedder.GenerateAsync(["t"]))).Code.ShouldBe(ErrorCodes.EmbeddingInvalid);
        vector = "[4,5,6]";
        (await embedder.GenerateAsync(["t"]))[0].Vector.Length.ShouldBe(3);
    }

    [Fact]
    public async Task A_well_known_model_has_its_own_length_from_the_start()
    {
        await using var service = await StubEmbeddingService.AnsweringAsync("""{"data":[{"index":0,"embedding":[1,2,3]}]}""");
        using var embedder = service.Connect("text-embedding-3-small");
        embedder.Dimensions.ShouldBe(1536);
        (await Should.ThrowAsync<IngestionException>(() => embedder.GenerateAsync(["t"]))).Message.ShouldContain("1536");
    }

    private static OpenAiEmbedder Connect(string endpoint) => new(
        OpenAiEmbedder.CreateHandler(), new EmbeddingOptions { Endpoint = endpoint, Model = "stub" }, TimeProvider.System);
}
