namespace Ingestion.Core.Data;

/// <summary>How many connections this process may open, and how long a transaction may stay open: section <c>Ingestion:Database</c>.</summary>
public sealed class DatabaseOptions
{
    public const string Section = "Ingestion:Database";

    /// <summary>Connections of the pipeline and of what is submitted and steered.</summary>
    public int WorkerPoolSize { get; set; } = 24;

    /// <summary>Connections that serve pages and the API.</summary>
    public int WebPoolSize { get; set; } = 16;

    /// <summary>Connections for migrations at the start.</summary>
    public int OwnerPoolSize { get; set; } = 4;

    /// <summary>A transaction that is open for longer is reported.</summary>
    public TimeSpan TransactionAgeAlarm { get; set; } = TimeSpan.FromMinutes(5);

    // One connection listens for hints and belongs to no pool.
    private const int Listening = 1;

    /// <summary>Connections that a process may have open at once.</summary>
    public int Connections(ServerRole role) => WorkerPoolSize + OwnerPoolSize + Listening + (role == ServerRole.Worker ? 0 : WebPoolSize);
}
