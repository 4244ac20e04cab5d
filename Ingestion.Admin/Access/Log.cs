namespace Ingestion.Admin.Access;

/// <summary>What the log says of callers: never a token, a key or a password.</summary>
internal static partial class Log
{
    [LoggerMessage(LogLevel.Debug, "An open page's session could not be looked at: {Reason}")]
    public static partial void SessionNotChecked(this ILogger log, string reason);

    [LoggerMessage(LogLevel.Information, "Sign-in refused ({Method}) from {Address}: {Reason}")]
    public static partial void SignInRefused(this ILogger log, string method, string? address, string reason);

    [LoggerMessage(LogLevel.Information, "{Account} signed in ({Method}) from {Address}")]
    public static partial void SignedIn(this ILogger log, string account, string method, string? address);
}
