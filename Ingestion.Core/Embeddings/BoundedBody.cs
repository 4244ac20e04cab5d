using System.Buffers;

namespace Ingestion.Core.Embeddings;

/// <summary>An answer's bytes in a pooled array, after decompression, of which no more than a limit was ever read.</summary>
internal sealed class BoundedBody : IDisposable
{
    /// <summary>64 MB: 32 vectors of 16,384 floats written as text stay below a fifth of it.</summary>
    public const int MaxReply = 64 << 20;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
    private int _length;

    private BoundedBody()
    {
    }

    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>Null where there is more than <paramref name="limit"/> bytes; the rest is not read.</summary>
    public static async Task<BoundedBody?> ReadAsync(HttpContent content, int limit, CancellationToken ct)
    {
        if (content.Headers.ContentLength > limit) return null;
        var body = new BoundedBody();
        var whole = false;
        try
        {
            await using var stream = await content.ReadAsStreamAsync(ct);
            int read;
            while ((read = await stream.ReadAsync(body._buffer.AsMemory(body._length), ct)) > 0)
            {
                body._length += read;
                if (body._length > limit) return null;
                if (body._length == body._buffer.Length) body.Grow();
            }
            whole = true;
            return body;
        }
        finally
        {
            if (!whole) body.Dispose();
        }
    }

    public void Dispose()
    {
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _length) = ([], 0);
    }

    private void Grow()
    {
        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        _buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
