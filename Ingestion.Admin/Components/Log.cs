namespace Ingestion.Admin.Components;

/// <summary>Every log line of the pages.</summary>
internal static partial class Log
{
    [LoggerMessage(LogLevel.Debug, "A page could not be refreshed, it tries again: {Reason}")]
    public static partial void NotRefreshed(this ILogger log, string reason);
}
