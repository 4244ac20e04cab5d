using System.CommandLine;

namespace Ingestion.Admin.Cli;

/// <summary><c>ingestion verify</c>: recounts that nothing is lost and nothing is doubled. Exit code 1 where something is.</summary>
internal sealed class VerifyCommand : Command
{
    /// <param name="verify">Gets the settings of the command line; returns the exit code.</param>
    public VerifyCommand(Func<string[], CancellationToken, Task<int>> verify)
        : base("verify", "Recount everything in the database and report what does not add up.") =>
        SetAction((parsed, ct) => verify([.. parsed.UnmatchedTokens], ct));
}
