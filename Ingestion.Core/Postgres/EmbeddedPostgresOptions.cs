namespace Ingestion.Core.Postgres;

/// <summary>How the app's own server is started.</summary>
public sealed record EmbeddedPostgresOptions
{
    /// <summary>The app's data directory; the cluster takes the folder <c>postgres</c> in it. Created where it is missing.</summary>
    public string DataDirectory { get; init; } = DefaultDataDirectory;

    /// <summary>The folder with <c>initdb</c> and <c>postgres</c>. Null: INGESTION_PG_BIN, then PATH, then the places distributions use.</summary>
    public string? BinaryDirectory { get; init; }

    /// <summary>Gives up durability for speed. For tests; a power cut can lose the database.</summary>
    public bool Fast { get; init; }

    /// <summary>Listen on 127.0.0.1 too: a port, 0 for a free one, or null for the socket alone.</summary>
    public int? TcpPort { get; init; }

    /// <summary>Connections the server accepts at once.</summary>
    public int MaxConnections { get; init; } = 200;

    /// <summary>The server's shared cache, in PostgreSQL's own notation.</summary>
    public string SharedBuffers { get; init; } = "128MB";

    /// <summary>
    /// <c>/var/lib/ingestion</c> for root, because the server then runs as the user <c>postgres</c> and cannot reach below root's home;
    /// otherwise <c>~/.local/share/ingestion</c>.
    /// </summary>
    public static string DefaultDataDirectory => Environment.IsPrivilegedProcess
        ? "/var/lib/ingestion"
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "ingestion");
}
