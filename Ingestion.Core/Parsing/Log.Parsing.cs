using Microsoft.Extensions.Logging;

namespace Ingestion.Core;

internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Debug, Message = "Parser process {ProcessId} started")]
    public static partial void ParserStarted(ILogger logger, int processId);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Parser process {ProcessId} ended after {Documents} documents")]
    public static partial void ParserEnded(ILogger logger, int processId, int documents);
}
