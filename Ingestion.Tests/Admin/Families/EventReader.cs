using System.Net;
using System.Text;
using Shouldly;

namespace Ingestion.Tests.Admin.Families;

/// <summary>One server-sent event.</summary>
/// <param name="Id">The number it came under; null where it has none.</param>
internal sealed record SentEvent(long? Id, string Name, string Data);

/// <summary>Reads a stream of server-sent events, as a browser would.</summary>
internal sealed class EventReader : IAsyncDisposable
{
    private readonly HttpResponseMessage _answer;
    private readonly StreamReader _lines;

    private EventReader(HttpResponseMessage answer, StreamReader lines) => (_answer, _lines) = (answer, lines);

    /// <summary>The pause before coming again that the server asked for, in milliseconds; 0 until it has.</summary>
    public int Retry { get; private set; }

    /// <summary>Comments, which only say that the connection lives.</summary>
    public int Comments { get; private set; }

    public static async Task<EventReader> OpenAsync(HttpClient client, string path, long? after = null, CancellationToken ct = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.ParseAdd("text/event-stream");
        if (after is { } number) request.Headers.Add("Last-Event-ID", $"{number}");
        var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        return new(answer, new(await answer.Content.ReadAsStreamAsync(ct), Encoding.UTF8));
    }

    /// <summary>The next event; null at the end.</summary>
    public async Task<SentEvent?> NextAsync(CancellationToken ct)
    {
        var (id, name, data) = ((long?)null, "message", (string?)null);
        while (await _lines.ReadLineAsync(ct) is { } line)
        {
            if (line.Length == 0)
            {
                if (data is not null) return new(id, name, data);
                continue;
            }
            if (line[0] == ':') Comments++;
            else if (line.StartsWith("id: ", StringComparison.Ordinal)) id = long.Parse(line[4..], System.Globalization.CultureInfo.InvariantCulture);
            else if (line.StartsWith("event: ", StringComparison.Ordinal)) name = line[7..];
            else if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
            else if (line.StartsWith("retry: ", StringComparison.Ordinal)) Retry = int.Parse(line[7..], System.Globalization.CultureInfo.InvariantCulture);
        }
        return null;
    }

    public ValueTask DisposeAsync()
    {
        _lines.Dispose();
        _answer.Dispose();
        return ValueTask.CompletedTask;
    }
}
