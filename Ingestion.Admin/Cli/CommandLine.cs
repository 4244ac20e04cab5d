using System.CommandLine;
using Ingestion.Admin.Cli.Client;
using Ingestion.Core;

namespace Ingestion.Admin.Cli;

/// <summary>
/// The words after <c>ingestion</c>. Without a verb the server runs. Exit codes: 0 done, 1 failed, 2 wrong usage; those of the verbs that
/// are clients of a server stand in <see cref="ExitCodes"/>.
/// Settings are accepted anywhere as <c>--Ingestion:Section:Key=value</c>.
/// </summary>
internal sealed class CommandLine
{
    // Our sections, and what a host of ASP.NET Core hands over by itself.
    private static readonly string[] Sections = ["Ingestion", "ConnectionStrings", "Logging", "environment", "contentRoot", "applicationName"];

    private readonly Option<ServerRole?> _role = new("--role") { Description = "What this process does: web, worker or both.", HelpName = "web|worker|both" };
    private readonly RootCommand _root = new("Takes documents in, follows each to the end and makes them searchable. Without a command the server runs. "
        + "Any setting of appsettings.json can be given as --Ingestion:Section:Key=value.");

    /// <param name="serve">Runs the server on the given settings until it is stopped; returns the exit code.</param>
    public CommandLine(Func<string[], CancellationToken, Task<int>> serve)
    {
        _root.Options.Add(_role);
        _root.TreatUnmatchedTokensAsErrors = false;
        _root.SetAction((parsed, ct) => serve([.. parsed.UnmatchedTokens, .. Role(parsed)], ct));
    }

    /// <summary>Adds a verb.</summary>
    public CommandLine Add(Command verb)
    {
        verb.TreatUnmatchedTokensAsErrors = false;
        foreach (var below in verb.Subcommands) below.TreatUnmatchedTokensAsErrors = false;
        _root.Subcommands.Add(verb);
        return this;
    }

    /// <summary>Adds the verbs that are clients of a running server.</summary>
    public CommandLine AddClient()
    {
        Command[] verbs = [new SubmitCommand(), new StatusCommand(), new ListCommand(), new EventsCommand(), new ExportCommand(), .. ActCommand.All, new ProfileCommand(), new CompletionCommand()];
        foreach (var verb in verbs) Add(verb);
        return this;
    }

    public async Task<int> RunAsync(string[] args, TextWriter? output = null, TextWriter? error = null)
    {
        var parsed = _root.Parse(args);
        // A shell asks what may follow: half a word is not wrong there.
        var suggests = args is [['[', ..], ..];
        if (!suggests && parsed.UnmatchedTokens.FirstOrDefault(t => !IsSetting(t)) is { } stranger)
        {
            await (error ?? Console.Error).WriteLineAsync($"'{stranger}' is neither a command nor a setting. See: ingestion --help");
            return 2;
        }

        // The host ends itself in its own time on SIGTERM; the library would cut it off after two seconds.
        var code = await parsed.InvokeAsync(new()
        {
            ProcessTerminationTimeout = null,
            EnableDefaultExceptionHandler = false,
            Output = output ?? Console.Out,
            Error = error ?? Console.Error,
        });
        return parsed.Errors.Count > 0 && !suggests ? 2 : code;
    }

    private IEnumerable<string> Role(ParseResult parsed) =>
        parsed.GetValue(_role) is { } role ? [$"--{IngestionOptions.Section}:Role={role}"] : [];

    private static bool IsSetting(string token) =>
        token.StartsWith("--", StringComparison.Ordinal)
        && token.IndexOf('=', StringComparison.Ordinal) is > 2 and var end
        && Sections.Contains(token[2..end].Split(':')[0], StringComparer.OrdinalIgnoreCase);
}
