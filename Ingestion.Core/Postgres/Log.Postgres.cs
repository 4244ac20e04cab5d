using Microsoft.Extensions.Logging;

namespace Ingestion.Core;

internal static partial class Log
{
    [LoggerMessage(LogLevel.Information, "Made a PostgreSQL {Major} cluster in {Directory}")]
    public static partial void PostgresInitialised(ILogger logger, string directory, int major);

    [LoggerMessage(LogLevel.Information, "PostgreSQL {Major} runs on {Directory}, ready after {Milliseconds} ms")]
    public static partial void PostgresStarted(ILogger logger, string directory, int major, long milliseconds);

    [LoggerMessage(LogLevel.Warning, "Stopping a PostgreSQL server of an earlier run on {Directory} (process {Pid})")]
    public static partial void PostgresOrphanStopped(ILogger logger, string directory, int pid);

    [LoggerMessage(LogLevel.Error, "The PostgreSQL server on {Directory} has ended unasked; restarting it in {Delay}")]
    public static partial void PostgresLost(ILogger logger, string directory, TimeSpan delay);

    [LoggerMessage(LogLevel.Error, "The PostgreSQL server on {Directory} does not restart; trying again in {Delay}")]
    public static partial void PostgresRestartFailed(ILogger logger, Exception exception, string directory, TimeSpan delay);

    [LoggerMessage(LogLevel.Information, "The PostgreSQL server on {Directory} runs again")]
    public static partial void PostgresRestarted(ILogger logger, string directory);

    [LoggerMessage(LogLevel.Information, "Made the database roles on the external server, logging in as {Login}")]
    public static partial void ExternalRolesMade(ILogger logger, string login);

    [LoggerMessage(LogLevel.Information, "Sessions of other logins are hidden, so transactions that they keep open are not seen. A superuser can change that once: {Sql}")]
    public static partial void StatisticsHidden(ILogger logger, string sql);
}
