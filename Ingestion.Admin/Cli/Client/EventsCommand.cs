using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Ingestion.Admin.Cli.Client;

/// <summary><c>ingestion events ID</c>: the numbered facts of a batch, and with <c>--follow</c> those to come.</summary>
internal sealed class EventsCommand : ClientCommand
{
    private const int PageSize = 1000;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private readonly Argument<string> _id = new("id") { Description = "Id of the batch." };
    private readonly Option<bool> _follow = new("--follow", "-f") { Description = "Go on with what happens, until the batch ends." };
    private readonly Option<long> _after = new("--after") { Description = "Begin after this number." };
    private readonly Option<bool> _json = new("--json") { Description = "A line of JSON for each." };

    public EventsCommand()
        : base("events", "Print what happened to a batch, numbered 1, 2, 3 … without gaps.")
    {
        Arguments.Add(_id);
        Options.Add(_follow);
        Options.Add(_after);
        Options.Add(_json);
    }

    protected override async Task<int> RunAsync(ApiClient api, ParseResult parsed, CancellationToken ct)
    {
        var batch = $"api/v1/batches/{Uri.EscapeDataString(parsed.GetRequiredValue(_id))}";
        var output = parsed.InvocationConfiguration.Output;
        for (var after = parsed.GetValue(_after); ;)
        {
            // Asked before the page is: what ended before it was read has all its facts in it.
            var ended = !parsed.GetValue(_follow) || BatchOutcome.Of(await api.GetAsync(batch, ct)).HasEnded;
            var page = await api.GetAsync(string.Create(CultureInfo.InvariantCulture, $"{batch}/events?after={after}&take={PageSize}"), ct);
            var events = page.GetProperty("events").EnumerateArray().ToList();
            foreach (var e in events) await output.WriteLineAsync(parsed.GetValue(_json) ? JsonSerializer.Serialize(e) : Line(e));
            await output.FlushAsync();
            after = page.GetProperty("next").GetInt64();
            if (events.Count == PageSize) continue;
            if (ended) return ExitCodes.Done;
            await Task.Delay(Pause, ct);
        }
    }

    private static string Line(JsonElement e) => string.Create(CultureInfo.InvariantCulture,
        $"{e.GetProperty("seq").GetInt64(),6}  {e.GetProperty("at").GetString()}  {e.GetProperty("kind").GetString(),-18} {About(e)}").TrimEnd();

    private static string About(JsonElement e)
    {
        var parts = new List<string>();
        if (e.GetProperty("item") is { ValueKind: JsonValueKind.Number } item) parts.Add($"item {item}");
        if (e.GetProperty("stage").GetString() is { } stage) parts.Add(stage);
        if (e.GetProperty("data") is { ValueKind: JsonValueKind.Object } data) parts.Add(Plain.Text(data.GetRawText()));
        return string.Join("  ", parts);
    }
}
