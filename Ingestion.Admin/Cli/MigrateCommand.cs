using System.CommandLine;
using Ingestion.Core.Data;

namespace Ingestion.Admin.Cli;

/// <summary><c>ingestion migrate</c>: brings the database to this program's schema and ends.</summary>
internal sealed class MigrateCommand : Command
{
    public MigrateCommand()
        : base("migrate", "Bring the database to this program's schema.") => SetAction(MigrateAsync);

    private static async Task<int> MigrateAsync(ParseResult parsed, CancellationToken ct)
    {
        await using var database = await CommandDatabase.OpenAsync([.. parsed.UnmatchedTokens], ct);
        await database.Get<Migrator>().MigrateAsync(ct);
        await parsed.InvocationConfiguration.Output.WriteLineAsync("The database has this program's schema.");
        return 0;
    }
}
