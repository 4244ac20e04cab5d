using Microsoft.Extensions.Logging;

namespace Ingestion.Core;

internal static partial class Log
{
    [LoggerMessage(EventId = 5001, Level = LogLevel.Warning, Message = "Embedding model {Model} failed {Failures} times in a row ({Code}: {Reason}); left alone for {Pause}")]
    public static partial void EmbeddingServiceDown(ILogger logger, string model, int failures, string code, string reason, TimeSpan pause);

    [LoggerMessage(EventId = 5004, Level = LogLevel.Warning, Message = "The secret that holds the embedding service's key could not be read; the one of before is used: {Reason}")]
    public static partial void EmbeddingKeyNotRead(ILogger logger, string reason);

    [LoggerMessage(EventId = 5002, Level = LogLevel.Information, Message = "Embedding model {Model} answers again")]
    public static partial void EmbeddingServiceBack(ILogger logger, string model);

    [LoggerMessage(EventId = 5003, Level = LogLevel.Information, Message = "Embedding model {Model} asks to slow down; nothing is sent for {Pause}")]
    public static partial void EmbeddingServiceThrottles(ILogger logger, string model, TimeSpan pause);
}
