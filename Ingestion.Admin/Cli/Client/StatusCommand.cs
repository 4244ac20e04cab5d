using System.CommandLine;

namespace Ingestion.Admin.Cli.Client;

/// <summary><c>ingestion bulk-status ID</c>: how far a batch is, live.</summary>
internal sealed class StatusCommand : ClientCommand
{
    private readonly Argument<string> _id = new("id") { Description = "Id of the batch: job_… as every answer and page shows it." };
    private readonly Option<bool> _json = new("--json") { Description = "A line of JSON for each change." };
    private readonly Option<bool> _once = new("--once") { Description = "Print how it stands now and end." };
    private readonly Option<double> _interval = new("--interval") { Description = "Seconds between two looks.", DefaultValueFactory = _ => 1 };

    public StatusCommand()
        : base("bulk-status", """
            Follow a batch until it ends: what is fetched, what is published, what waits and why. Drawn again in place in a terminal; in a pipe a line for each change.
            Exit code: 0 everything ended well, 1 something failed, 2 wrong usage, 3 the server does not answer, 4 the batch was cancelled.
            Example: ingestion bulk-status job_k3v… && echo published
            """)
    {
        Arguments.Add(_id);
        Options.Add(_json);
        Options.Add(_once);
        Options.Add(_interval);
    }

    protected override Task<int> RunAsync(ApiClient api, ParseResult parsed, CancellationToken ct)
    {
        var seconds = parsed.GetValue(_interval);
        if (seconds is not (>= 0.1 and <= 3600)) throw new ClientException(ExitCodes.Usage, "--interval must be 0.1 to 3600 seconds.");
        return new BatchWatcher(api, parsed.InvocationConfiguration.Output, TimeProvider.System)
            .WatchAsync(parsed.GetRequiredValue(_id), parsed.GetValue(_json), parsed.GetValue(_once), TimeSpan.FromSeconds(seconds), ct);
    }
}
