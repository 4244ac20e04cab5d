using Microsoft.AspNetCore.Connections.Features;

namespace Ingestion.Admin.Api.Live;

/// <summary>What a connection that follows may hold back.</summary>
internal static class LiveConnection
{
    // Enough for some readings of facts; the kernel takes twice as much for its own records.
    private const int SendBuffer = 32 << 10;

    /// <summary>
    /// Bounds what the kernel keeps for a reader that takes nothing. Left to itself it keeps up to 4 MiB for each, outside of the program's
    /// own memory, and a reader that does not read is noticed only after that.
    /// </summary>
    public static void Bound(HttpContext http)
    {
        if (http.Features.Get<IConnectionSocketFeature>() is { } connection) connection.Socket.SendBufferSize = SendBuffer;
    }
}
