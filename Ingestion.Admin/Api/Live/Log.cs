namespace Ingestion.Admin.Api.Live;

internal static partial class Log
{
    [LoggerMessage(LogLevel.Warning, "A live feed was not read: {Reason}")]
    public static partial void FeedNotRead(this ILogger log, string reason);

    [LoggerMessage(LogLevel.Error, "A live feed broke; its readers are sent away and may come again")]
    public static partial void FeedBroke(this ILogger log, Exception e);

    [LoggerMessage(LogLevel.Warning, "The callers of live connections were not checked: {Reason}")]
    public static partial void CallerNotChecked(this ILogger log, string reason);

    [LoggerMessage(LogLevel.Information, "A live connection that does not read is dropped")]
    public static partial void ReaderDropped(this ILogger log);
}
