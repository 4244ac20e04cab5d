using System.Net.Sockets;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>Tells a database that is busy, restarting or resolving a conflict from one that refuses.</summary>
public static class Transient
{
    // The server ended a session whose transaction had waited for its client for too long.
    private const string IdleInTransaction = "25P03";

    public static bool Is(Exception e) => e switch
    {
        PostgresException p => p.IsTransient || p.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected
            or PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.AdminShutdown
            or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow or IdleInTransaction or PostgresErrorCodes.TooManyConnections,
        // Everything else that Npgsql itself raises is about the connection; so are a broken pipe and a wait for the pool.
        NpgsqlException or SocketException or TimeoutException or EndOfStreamException => true,
        Microsoft.EntityFrameworkCore.DbUpdateException { InnerException: { } inner } => Is(inner),
        InvalidOperationException { InnerException: NpgsqlException inner } => Is(inner),
        _ => false,
    };
}
