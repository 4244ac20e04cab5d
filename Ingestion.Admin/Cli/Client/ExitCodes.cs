namespace Ingestion.Admin.Cli.Client;

/// <summary>How a command of the client ends, for scripts.</summary>
internal static class ExitCodes
{
    /// <summary>Done, and every document ended well.</summary>
    public const int Done = 0;
    /// <summary>Something failed, or the server refused.</summary>
    public const int Failed = 1;
    public const int Usage = 2;
    public const int Unreachable = 3;
    /// <summary>The batch was cancelled.</summary>
    public const int Cancelled = 4;
}

/// <summary>A sentence for whoever typed the command, and the code it ends with.</summary>
internal sealed class ClientException(int exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;
}
