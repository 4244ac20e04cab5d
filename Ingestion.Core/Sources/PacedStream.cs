using System.Diagnostics;

namespace Ingestion.Core.Sources;

/// <summary>How slowly a body may come.</summary>
/// <param name="MinBytesPerSecond">0 allows any pace.</param>
/// <param name="Window">The span over which the pace is judged. Only time spent waiting for the other side counts.</param>
internal sealed record Pace(int MinBytesPerSecond, TimeSpan Window)
{
    public double BytesPerWindow => MinBytesPerSecond * Window.TotalSeconds;
}

/// <summary>
/// A body as sent: counts it, gives up on what comes too slowly or is too long, and can take back what was looked at.
/// Does not own the stream below.
/// </summary>
internal sealed class PacedStream(Stream inner, Pace pace, long maxBytes, string host) : Stream
{
    private ReadOnlyMemory<byte> _unread;
    private TimeSpan _waited;
    private long _windowBytes;

    /// <summary>Bytes as sent.</summary>
    public long Total { get; private set; }

    /// <summary>Puts bytes that were read back in front.</summary>
    public void Unread(ReadOnlyMemory<byte> bytes) => _unread = bytes;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken ct = default)
    {
        if (_unread.Length > 0)
        {
            var again = Math.Min(buffer.Length, _unread.Length);
            _unread[..again].CopyTo(buffer);
            _unread = _unread[again..];
            return again;
        }

        var count = pace.MinBytesPerSecond == 0 ? await inner.ReadAsync(buffer, ct) : await ReadInTimeAsync(buffer, ct);
        Total += count;
        if (Total > maxBytes)
            throw FetchFailures.TooLarge(host, maxBytes);
        return count;
    }

    private async ValueTask<int> ReadInTimeAsync(Memory<byte> buffer, CancellationToken ct)
    {
        var left = pace.Window - _waited;
        // Who has sent enough for this window may be silent for the next one, but for no longer.
        var patience = _windowBytes >= pace.BytesPerWindow ? left + pace.Window : left;
        var begun = Stopwatch.GetTimestamp();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(patience);
        int count;
        try
        {
            count = await inner.ReadAsync(buffer, limit.Token);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw TooSlow(e);
        }

        _waited += Stopwatch.GetElapsedTime(begun);
        _windowBytes += count;
        if (_waited >= pace.Window)
        {
            if (count > 0 && _windowBytes < pace.BytesPerWindow)
                throw TooSlow(null);
            _waited = TimeSpan.Zero;
            _windowBytes = 0;
        }
        return count;
    }

    private Pipeline.IngestionException TooSlow(Exception? inner) =>
        FetchFailures.TimedOut($"{host} sends too slowly: {_windowBytes} bytes", pace.Window, inner);

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override void Flush() => throw new NotSupportedException();
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
