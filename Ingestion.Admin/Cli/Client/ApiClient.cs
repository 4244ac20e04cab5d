using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Ingestion.Admin.Cli.Client;

/// <summary>The HTTP API as commands use it. Every method throws <see cref="ClientException"/> with the server's own sentence, or one that says that it does not answer.</summary>
internal sealed class ApiClient : IDisposable
{
    private readonly HttpClient _http;

    public ApiClient(Profile target)
    {
        if (!Uri.TryCreate(target.Server, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new ClientException(ExitCodes.Usage, $"'{target.Server}' is not the address of a server: give a complete http or https URL.");
        Server = address.ToString().TrimEnd('/');
        // Redirects are not followed: the key would go with them.
        _http = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = new(Server + "/"), Timeout = TimeSpan.FromMinutes(5) };
        _http.DefaultRequestHeaders.Accept.Add(new("application/json"));
        _http.DefaultRequestHeaders.Add("X-Requested-With", "ingestion");
        if (target.Key is { } key) _http.DefaultRequestHeaders.TryAddWithoutValidation("X-Api-Key", key);
    }

    /// <summary>Without a slash at its end.</summary>
    public string Server { get; }

    public Task<JsonElement> GetAsync(string path, CancellationToken ct) => SendAsync(new(HttpMethod.Get, path), ct);

    public Task<JsonElement> PostAsync(string path, object? body, CancellationToken ct, string? idempotencyKey = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body ?? new { }) };
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        return SendAsync(request, ct);
    }

    /// <summary>Sends bytes as they are.</summary>
    public Task<JsonElement> SendBytesAsync(HttpMethod method, string path, Stream content, long length, CancellationToken ct)
    {
        var body = new StreamContent(content) { Headers = { ContentLength = length, ContentType = new MediaTypeHeaderValue("application/octet-stream") } };
        return SendAsync(new(method, path) { Content = body }, ct);
    }

    /// <summary>Copies an answer of any size.</summary>
    public async Task CopyAsync(string path, Stream to, CancellationToken ct)
    {
        using var answer = await AskAsync(new(HttpMethod.Get, path), ct);
        await using var content = await answer.Content.ReadAsStreamAsync(ct);
        await content.CopyToAsync(to, ct);
    }

    public void Dispose() => _http.Dispose();

    private async Task<JsonElement> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        using var answer = await AskAsync(request, ct);
        try
        {
            await using var content = await answer.Content.ReadAsStreamAsync(ct);
            return await JsonSerializer.DeserializeAsync<JsonElement>(content, cancellationToken: ct);
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new ClientException(ExitCodes.Unreachable, $"{Server} answers, but not as an ingestion server does.", e);
        }
    }

    private async Task<HttpResponseMessage> AskAsync(HttpRequestMessage request, CancellationToken ct)
    {
        HttpResponseMessage answer;
        try
        {
            answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            throw new ClientException(ExitCodes.Unreachable, $"{Server} does not answer: {(e is HttpRequestException ? e.Message : "it takes too long")}. Is it running, and is the address right (--server, INGESTION_URL)?", e);
        }
        if (answer.IsSuccessStatusCode) return answer;
        using (answer) throw new ClientException(CodeOf(answer.StatusCode), await SentenceAsync(answer, ct));
    }

    // What will pass by itself is told from what will not.
    private static int CodeOf(HttpStatusCode status) => status is HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout ? ExitCodes.Unreachable
        : status is HttpStatusCode.BadRequest ? ExitCodes.Usage : ExitCodes.Failed;

    private async Task<string> SentenceAsync(HttpResponseMessage answer, CancellationToken ct)
    {
        var text = await answer.Content.ReadAsStringAsync(ct);
        var said = Detail(text) ?? $"{Server} answers {(int)answer.StatusCode}.";
        return answer.StatusCode == HttpStatusCode.Unauthorized ? $"{said} Give it with INGESTION_KEY, --key or a profile." : said;
    }

    private static string? Detail(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(text) is { ValueKind: JsonValueKind.Object } problem && problem.TryGetProperty("detail", out var detail) ? Plain.Text(detail.GetString() ?? "") : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Text of strangers on a terminal.</summary>
internal static class Plain
{
    /// <summary>Without the control characters that would move the cursor, colour what follows, or worse.</summary>
    public static string Text(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
