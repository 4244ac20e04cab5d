using System.Data.Common;
using System.Globalization;
using Ingestion.Core.Access;
using Npgsql;

namespace Ingestion.Core.Data;

/// <summary>
/// The three ways into the database, one login: the owner migrates, the worker moves tasks over all tenants, the web role sees one
/// tenant at a time. The application never runs as superuser.
/// </summary>
public sealed class Database : IAsyncDisposable
{
    public const string OwnerRole = "ingestion_owner";
    public const string WorkerRole = "ingestion_worker";
    public const string WebRole = "ingestion_web";

    /// <param name="silence">
    /// How long a worker's transaction may wait for this process: then the server ends its session. Null for no limit. A process that is
    /// frozen, or cut off, in the middle of a transaction would hold its locks for as long, and with them the work of all others.
    /// </param>
    public Database(string connectionString, DatabaseOptions? options = null, TimeSpan? silence = null)
    {
        options ??= new();
        ConnectionString = connectionString;
        Owner = Build(OwnerRole, options.OwnerPoolSize);
        Worker = Build(WorkerRole, options.WorkerPoolSize, KeptPlans + (silence is { } limit ? string.Create(CultureInfo.InvariantCulture, $" -c idle_in_transaction_session_timeout={(long)limit.TotalMilliseconds}") : ""));
        Web = Build(WebRole, options.WebPoolSize);
    }

    public string ConnectionString { get; }
    public NpgsqlDataSource Owner { get; }
    public NpgsqlDataSource Worker { get; }

    /// <summary>Use <see cref="OpenWebAsync"/>: without a tenant it shows nothing.</summary>
    public NpgsqlDataSource Web { get; }

    /// <summary>A connection under row-level security that sees what a scope covers.</summary>
    public async Task<NpgsqlConnection> OpenWebAsync(Scope scope, CancellationToken ct)
    {
        var connection = await Web.OpenConnectionAsync(ct);
        await using var command = SetScope(connection, scope);
        await command.ExecuteNonQueryAsync(ct);
        return connection;
    }

    /// <summary>Tells a session of the web role what it sees, until the pool resets it.</summary>
    internal static DbCommand SetScope(DbConnection connection, Scope scope)
    {
        var command = connection.CreateCommand();
        foreach (var (name, value) in scope.Settings())
        {
            command.CommandText += $"{(command.CommandText.Length == 0 ? "SELECT " : ", ")}set_config('{name}', @{name.Replace('.', '_')}, false)";
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name.Replace('.', '_'), value);
            command.Parameters.Add(parameter);
        }
        return command;
    }

    public async ValueTask DisposeAsync()
    {
        await Owner.DisposeAsync();
        await Worker.DisposeAsync();
        await Web.DisposeAsync();
    }

    // Statements are prepared once a session and their plans kept, those of foreign keys too. A plan made while a table is still empty
    // would read all of it ever after, so scans of whole tables are the last resort: every statement of the pipeline has its index.
    private const string KeptPlans = " -c enable_seqscan=off";

    // Such a last resort is priced so high that the server would compile the statement first, for many times what running it takes.
    private const string NotCompiled = " -c jit=off";

    // The web role's sessions are reset before each reuse, so that a connection taken without a tenant shows nothing instead of the last
    // caller's rows; the role is a start-up option and outlives that. The others keep no session state.
    private NpgsqlDataSource Build(string role, int pool, string more = "") => new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder(ConnectionString)
    {
        Options = $"-c role={role} -c search_path=ingestion -c timezone=UTC{NotCompiled}{more}",
        MaxAutoPrepare = role == WorkerRole ? 120 : 0,
        AutoPrepareMinUsages = 2,
        MaxPoolSize = pool,
        NoResetOnClose = role != WebRole,
        ApplicationName = role,
    }.ConnectionString).Build();
}
