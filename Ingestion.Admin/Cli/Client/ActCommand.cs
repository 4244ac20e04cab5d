using System.CommandLine;

namespace Ingestion.Admin.Cli.Client;

/// <summary><c>ingestion pause|resume|cancel|retry ID</c>.</summary>
internal sealed class ActCommand : ClientCommand
{
    private readonly Argument<string> _id = new("id") { Description = "Id of the batch." };
    private readonly Option<string?> _reason = new("--reason") { Description = "Why, for the log and the audit.", HelpName = "text" };
    private readonly Option<bool> _all = new("--all") { Description = "Every document, also those that ended well." };
    private readonly Option<string[]> _set = new("--option") { Description = "A processing option from here on, such as chunk_size=800. May be given several times.", HelpName = "name=value" };
    private readonly bool _retries;

    private ActCommand(string verb, string description, bool retries = false)
        : base(verb, description)
    {
        _retries = retries;
        Arguments.Add(_id);
        Options.Add(_reason);
        if (!retries) return;
        Options.Add(_all);
        Options.Add(_set);
    }

    public static IEnumerable<Command> All { get; } =
    [
        new ActCommand("pause", "Pause a batch: what runs comes to its end, nothing new starts."),
        new ActCommand("resume", "Let a paused batch go on."),
        new ActCommand("cancel", "End a batch. What it published stays."),
        new ActCommand("retry", "Run the failed and cancelled documents of a batch again, with the same options or others.", retries: true),
    ];

    protected override async Task<int> RunAsync(ApiClient api, ParseResult parsed, CancellationToken ct)
    {
        var body = new Dictionary<string, object?>();
        if (parsed.GetValue(_reason) is { } reason) body["reason"] = reason;
        if (_retries && parsed.GetValue(_all)) body["failed_only"] = false;
        if (_retries && parsed.GetValue(_set) is { Length: > 0 } options) body["options"] = OptionValues.Read(options);
        var answer = await api.PostAsync($"api/v1/batches/{Uri.EscapeDataString(parsed.GetRequiredValue(_id))}/{Name}", body, ct);
        await parsed.InvocationConfiguration.Output.WriteLineAsync(Plain.Text(answer.GetProperty("message").GetString()!));
        return ExitCodes.Done;
    }
}
