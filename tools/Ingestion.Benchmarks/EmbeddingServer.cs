using System.Text;
using System.Text.Json;

namespace Ingestion.Benchmarks;

/// <summary>
/// A stub of an embedding service: every call takes 50 ms, however many texts it brings, and answers with vectors of 1,536 floats
/// as base64. It computes nothing, so what is measured is the way to it.
/// </summary>
internal static class EmbeddingServer
{
    public const string Verb = "serve-vectors";
    public const string Model = "stub-1536";
    public const int Dimensions = 1536;
    public static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(50);

    // A few different vectors, made once: text i of a request gets vector i.
    private static readonly string[] Vectors = [.. Enumerable.Range(0, 64).Select(Vector)];

    public static Task<int> RunAsync() => LoopbackServer.ServeAsync(async context =>
    {
        var waited = Task.Delay(Latency, context.RequestAborted);
        using var request = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
        var count = request.RootElement.GetProperty("input").GetArrayLength();
        var answer = new StringBuilder("""{"object":"list","model":"stub-1536","data":[""");
        for (var i = 0; i < count; i++)
            answer.Append(i == 0 ? "" : ",").Append($$"""{"object":"embedding","index":{{i}},"embedding":"{{Vectors[i % Vectors.Length]}}"}""");
        answer.Append($$"""],"usage":{"prompt_tokens":{{count}},"total_tokens":{{count}}} }""");
        await waited;
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(answer.ToString()), context.RequestAborted);
    });

    private static string Vector(int seed)
    {
        var random = new Random(seed);
        var floats = new float[Dimensions];
        for (var i = 0; i < floats.Length; i++) floats[i] = random.NextSingle() - 0.5f;
        return Convert.ToBase64String(System.Runtime.InteropServices.MemoryMarshal.AsBytes(floats.AsSpan()));
    }
}
