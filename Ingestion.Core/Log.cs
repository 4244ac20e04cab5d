using Microsoft.Extensions.Logging;

namespace Ingestion.Core;

/// <summary>Every log line of the core, in one place. No document text and no secret ever appears in one.</summary>
internal static partial class Log
{
}
