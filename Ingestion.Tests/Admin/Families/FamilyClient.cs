using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Ingestion.Tests.Support;
using Shouldly;

namespace Ingestion.Tests.Admin.Families;

/// <summary>A program that speaks to the families of routes.</summary>
internal sealed class FamilyClient(HttpClient http)
{
    public async Task<JsonElement> GetAsync(string path, HttpStatusCode expected = HttpStatusCode.OK) => await ReadAsync(await http.GetAsync(path), expected);

    public async Task<string> TextAsync(string path)
    {
        using var answer = await http.GetAsync(path);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        return await answer.Content.ReadAsStringAsync();
    }

    public async Task<JsonElement> PostAsync(string path, object? body = null, HttpStatusCode expected = HttpStatusCode.OK, string? idempotencyKey = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = body is string json ? new StringContent(json, Encoding.UTF8, "application/json") : body is null ? null : JsonContent.Create(body) };
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        return await ReadAsync(await http.SendAsync(request), expected);
    }

    /// <summary>Sends a form with files and fields.</summary>
    public async Task<JsonElement> SendAsync(
        string path, IEnumerable<(string Name, byte[] Content)> files, IEnumerable<(string Name, string Value)>? fields = null, HttpStatusCode expected = HttpStatusCode.OK, string? idempotencyKey = null)
    {
        using var form = new MultipartFormDataContent();
        foreach (var (name, value) in fields ?? []) form.Add(new StringContent(value), name);
        foreach (var (name, content) in files) form.Add(new ByteArrayContent(content), "file", name);
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = form };
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        return await ReadAsync(await http.SendAsync(request), expected);
    }

    /// <summary>Asks again and again until the answer is what the test waits for.</summary>
    public async Task<JsonElement> UntilAsync(string path, Func<JsonElement, bool> reached, int seconds = 30)
    {
        var last = await GetAsync(path);
        await Eventually.IsAsync(async () => reached(last = await GetAsync(path)), $"{path} is as awaited", seconds);
        return last;
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage answer, HttpStatusCode expected)
    {
        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync();
            answer.StatusCode.ShouldBe(expected, text);
            return JsonSerializer.Deserialize<JsonElement>(text);
        }
    }
}

internal static class JsonReading
{
    public static string? Said(this JsonElement of, string name) => of.GetProperty(name).GetString();

    public static int Count(this JsonElement of, string name) => of.GetProperty(name).GetInt32();
}
