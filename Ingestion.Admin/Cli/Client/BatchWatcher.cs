using System.Text.Json;

namespace Ingestion.Admin.Cli.Client;

/// <summary>Follows a batch to its end.</summary>
internal sealed class BatchWatcher(ApiClient api, TextWriter output, TimeProvider clock)
{
    /// <summary>How long a server may be away: one that is started again is waited for.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <param name="json">A line of JSON for each change instead of text.</param>
    /// <param name="once">Only as it is now.</param>
    /// <returns>The exit code by how the batch stands.</returns>
    public async Task<int> WatchAsync(string id, bool json, bool once, TimeSpan interval, CancellationToken ct)
    {
        var screen = new StatusScreen(output, IsTerminal(output) && !once, () => Console.WindowWidth, clock);
        var last = "";
        for (long? answered = null; ;)
        {
            if (await LookAsync(id, screen, answered, json, ct) is { } seen)
            {
                answered = clock.GetTimestamp();
                var outcome = BatchOutcome.Of(seen);
                if (json) last = await WriteAsync(seen, last);
                else if (once) await PrintAsync(outcome);
                else await screen.ShowAsync(outcome);
                if (once || outcome.HasEnded) return outcome.ExitCode;
            }
            await Task.Delay(interval, clock, ct);
        }
    }

    // Null while the server is away and still waited for.
    private async Task<JsonElement?> LookAsync(string id, StatusScreen screen, long? answered, bool json, CancellationToken ct)
    {
        try
        {
            return await api.GetAsync($"api/v1/batches/{Uri.EscapeDataString(id)}", ct);
        }
        catch (ClientException e) when (e.ExitCode == ExitCodes.Unreachable && answered is { } seen && clock.GetElapsedTime(seen) < Patience)
        {
            if (!json) await screen.TroubleAsync("The server does not answer; trying again …");
            return null;
        }
    }

    private async Task<string> WriteAsync(JsonElement batch, string last)
    {
        var line = JsonSerializer.Serialize(batch);
        if (line == last) return last;
        await output.WriteLineAsync(line);
        await output.FlushAsync();
        return line;
    }

    private async Task PrintAsync(BatchOutcome batch)
    {
        foreach (var line in StatusScreen.Lines(batch)) await output.WriteLineAsync(line);
    }

    private static bool IsTerminal(TextWriter output) => ReferenceEquals(output, Console.Out) && !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not ("dumb" or "" or null);
}
