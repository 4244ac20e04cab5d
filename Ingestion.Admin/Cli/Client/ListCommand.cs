using System.CommandLine;
using System.Globalization;
using System.Text.Json;

namespace Ingestion.Admin.Cli.Client;

/// <summary><c>ingestion list</c>: batches, newest first.</summary>
internal sealed class ListCommand : ClientCommand
{
    private readonly Option<string?> _state = new("--state") { Description = "Only these, separated by commas: pending, queued, running, paused, completed, failed, cancelled, retrying.", HelpName = "words" };
    private readonly Option<string?> _text = new("--text") { Description = "Only those whose name holds this.", HelpName = "text" };
    private readonly Option<int> _take = new("--take") { Description = "How many at most, up to 200.", DefaultValueFactory = _ => 20 };
    private readonly Option<bool> _json = new("--json") { Description = "As JSON." };

    public ListCommand()
        : base("list", "List batches, newest first.")
    {
        Options.Add(_state);
        Options.Add(_text);
        Options.Add(_take);
        Options.Add(_json);
    }

    protected override async Task<int> RunAsync(ApiClient api, ParseResult parsed, CancellationToken ct)
    {
        var query = string.Create(CultureInfo.InvariantCulture, $"take={parsed.GetValue(_take)}");
        foreach (var (name, value) in new[] { ("state", parsed.GetValue(_state)), ("q", parsed.GetValue(_text)) })
            if (value is not null) query += $"&{name}={Uri.EscapeDataString(value)}";
        var page = await api.GetAsync($"api/v1/batches?{query}", ct);
        var output = parsed.InvocationConfiguration.Output;
        if (parsed.GetValue(_json))
        {
            await output.WriteLineAsync(JsonSerializer.Serialize(page));
            return ExitCodes.Done;
        }
        foreach (var batch in page.GetProperty("batches").EnumerateArray().Select(BatchOutcome.Of))
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{batch.Id}  {batch.State,-10} {batch.Overall,5:0.0} %  {batch.Failed,6} failed  {batch.Name}"));
        return ExitCodes.Done;
    }
}
