using System.IO.Compression;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// A response's body behind all its limits: size as sent, size and ratio as decompressed, and pace. Reads flat: nothing is kept.
/// </summary>
internal sealed class LimitedBody : IAsyncDisposable
{
    /// <summary>Below this a high ratio is nothing unusual: a page of one repeated line.</summary>
    private const long RatioFree = 1 << 20;

    private readonly PacedStream _sent;
    private readonly Stream _decoded;
    private readonly FetchLimits _limits;
    private readonly string _host;
    private long _read;

    private LimitedBody(PacedStream sent, Stream decoded, FetchLimits limits, string host)
    {
        _sent = sent;
        _decoded = decoded;
        _limits = limits;
        _host = host;
    }

    /// <summary>Opens the body. Throws <c>bad_content</c> for a compression that is not known.</summary>
    public static async Task<LimitedBody> OpenAsync(HttpResponseMessage response, FetchLimits limits, string host, Pace pace, CancellationToken ct)
    {
        var sent = new PacedStream(await response.Content.ReadAsStreamAsync(ct), pace, limits.MaxBytes, host);
        var codings = response.Content.Headers.ContentEncoding.Select(c => c.ToLowerInvariant()).Where(c => c is not ("identity" or "")).ToList();
        Stream decoded = codings switch
        {
            [] => sent,
            ["gzip" or "x-gzip"] => new GZipStream(sent, CompressionMode.Decompress),
            ["br"] => new BrotliStream(sent, CompressionMode.Decompress),
            ["deflate"] => await InflateAsync(sent, ct),
            _ => throw FetchFailures.BadContent($"{host} sends a compression that was not asked for."),
        };
        return new LimitedBody(sent, decoded, limits, host);
    }

    /// <summary>Reads on; 0 at the end. Throws <c>too_large</c>, <c>limit_exceeded</c> or <c>fetch_timeout</c> where a limit is passed.</summary>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken ct)
    {
        var count = await DecodeAsync(buffer, ct);
        _read += count;
        if (_read > _limits.MaxBytes)
            throw FetchFailures.TooLarge(_host, _limits.MaxBytes);
        if (_read > RatioFree && _read / Math.Max(1, _sent.Total) > _limits.MaxRatio)
            throw new IngestionException(ErrorCodes.LimitExceeded, $"The body from {_host} decompresses to more than {_limits.MaxRatio} times its size.");
        return count;
    }

    public ValueTask DisposeAsync() => _decoded.DisposeAsync();

    private async ValueTask<int> DecodeAsync(Memory<byte> buffer, CancellationToken ct)
    {
        try
        {
            return await _decoded.ReadAsync(buffer, ct);
        }
        // Brotli's decoder says InvalidOperation where the others say InvalidData.
        catch (Exception e) when (e is InvalidDataException || (e is InvalidOperationException and not ObjectDisposedException && _decoded is BrotliStream))
        {
            throw FetchFailures.BadContent($"The body from {_host} cannot be decompressed.", e);
        }
    }

    /// <summary>"deflate" means zlib by the standard and bare deflate by the habit of some servers: the first two bytes tell.</summary>
    private static async Task<Stream> InflateAsync(PacedStream sent, CancellationToken ct)
    {
        var head = new byte[2];
        var count = await sent.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, ct);
        sent.Unread(head.AsMemory(0, count));
        var zlib = count == 2 && (head[0] & 0x0f) == 8 && ((head[0] << 8) | head[1]) % 31 == 0;
        return zlib ? new ZLibStream(sent, CompressionMode.Decompress) : new DeflateStream(sent, CompressionMode.Decompress);
    }
}
