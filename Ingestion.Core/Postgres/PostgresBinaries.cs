using System.Text.RegularExpressions;

namespace Ingestion.Core.Postgres;

/// <summary>The server's programs and their major version. Finds those that fit an existing data directory, or says what to install.</summary>
internal sealed partial record PostgresBinaries(string Directory, int Major)
{
    /// <summary>The oldest major version the schema works on.</summary>
    public const int OldestMajor = 15;

    /// <summary>Names the folder with the server's programs, before any search.</summary>
    public const string Variable = "INGESTION_PG_BIN";

    public string Initdb => Path.Combine(Directory, "initdb");

    public string Postgres => Path.Combine(Directory, "postgres");

    public string PgCtl => Path.Combine(Directory, "pg_ctl");

    /// <param name="named">The only folder to look in; null to search.</param>
    /// <param name="dataDirectory">Where the cluster is or will be; its PG_VERSION decides which major version must be found.</param>
    /// <param name="ct">Ends the search.</param>
    /// <exception cref="EmbeddedPostgresException">Nothing found, too old, or of another major version than the data.</exception>
    public static async Task<PostgresBinaries> FindAsync(string? named, string dataDirectory, CancellationToken ct)
    {
        var versionFile = Path.Combine(dataDirectory, "PG_VERSION");
        int? required = File.Exists(versionFile) && int.TryParse((await File.ReadAllTextAsync(versionFile, ct)).Trim(), out var v) ? v : null;

        var found = new List<PostgresBinaries>();
        foreach (var directory in named is null ? Places() : [named])
        {
            if (await ReadAsync(directory, ct) is { } binaries)
                found.Add(binaries);
        }

        if (found.Count == 0)
            throw new EmbeddedPostgresException(named is null
                ? $"There is no PostgreSQL server on this machine. Install one (Debian, Ubuntu: apt-get install postgresql), set {Variable} to the folder of its programs, or name an external server in ConnectionStrings__Ingestion."
                : $"{named} holds no PostgreSQL server: initdb and postgres are looked for there. Correct {Variable}.");

        var versions = string.Join(", ", found.Select(b => b.Major).Distinct());
        if (required is { } major)
            return found.Find(b => b.Major == major) ?? throw new EmbeddedPostgresException(
                $"The database in {dataDirectory} was made by PostgreSQL {major}, and this machine has PostgreSQL {versions}. "
                + $"Install version {major} beside it (Debian, Ubuntu: postgresql-{major}) or set {Variable} to its programs. "
                + "To change versions, dump with the old one and restore into an empty data directory.");

        return found.Find(b => b.Major >= OldestMajor) ?? throw new EmbeddedPostgresException(
            $"This machine has PostgreSQL {versions}; {OldestMajor} or newer is needed. Install it, or set {Variable} to the folder of its programs.");
    }

    private static IEnumerable<string> Places() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries)
        .Concat(Versioned("/usr/lib/postgresql", "*"))
        .Concat(Versioned("/usr", "pgsql-*"));

    private static IEnumerable<string> Versioned(string parent, string pattern) => System.IO.Directory.Exists(parent)
        ? System.IO.Directory.GetDirectories(parent, pattern)
            .OrderByDescending(d => int.TryParse(Path.GetFileName(d).Split('-')[^1], out var v) ? v : 0)
            .Select(d => Path.Combine(d, "bin"))
        : [];

    private static async Task<PostgresBinaries?> ReadAsync(string directory, CancellationToken ct)
    {
        var candidate = new PostgresBinaries(directory, 0);
        if (!File.Exists(candidate.Initdb) || !File.Exists(candidate.Postgres))
            return null;
        var (exitCode, output) = await ChildProcess.RunAsync([candidate.Postgres, "--version"], ct);
        var match = VersionPattern().Match(output);
        return exitCode == 0 && match.Success ? candidate with { Major = int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture) } : null;
    }

    [GeneratedRegex(@"\(PostgreSQL\) ([0-9]{1,3})", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex VersionPattern();
}
