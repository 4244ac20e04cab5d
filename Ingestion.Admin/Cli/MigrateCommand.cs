using System.CommandLine;

namespace Ingestion.Admin.Cli;

/// <summary><c>ingestion migrate</c>: brings the database to this program's schema and ends.</summary>
internal sealed class MigrateCommand : Command
{
    /// <param name="migrate">Gets the settings of the command line; returns the exit code.</param>
    public MigrateCommand(Func<string[], CancellationToken, Task<int>> migrate)
        : base("migrate", "Bring the database to this program's schema.") =>
        SetAction((parsed, ct) => migrate([.. parsed.UnmatchedTokens], ct));
}
