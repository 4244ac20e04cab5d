using System.Security.Cryptography;

namespace Ingestion.Core.Sources;

/// <summary>What this process knows of an upload that is being sent: who may write, and the hash so far.</summary>
internal sealed class UploadWriter
{
    private const int BufferSize = 1 << 17;
    private RunningHash? _hash;

    /// <summary>One writer at a time.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>
    /// The hash of the file as it is, with the file at its end. It lives in memory; after a restart, or a write that failed half-way, it is
    /// made again from the bytes on disk.
    /// </summary>
    public async Task<RunningHash> HashOfAsync(FileStream file, CancellationToken ct)
    {
        if (_hash is { } kept && kept.Length == file.Length)
        {
            file.Position = file.Length;
            return kept;
        }
        _hash?.Dispose();
        _hash = new();
        file.Position = 0;
        var buffer = new byte[BufferSize];
        for (int n; (n = await file.ReadAsync(buffer, ct)) > 0;) _hash.Append(buffer.AsSpan(0, n));
        return _hash;
    }
}

/// <summary>SHA-256 of bytes that come in pieces, and how many came.</summary>
internal sealed class RunningHash : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public long Length { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        _hash.AppendData(bytes);
        Length += bytes.Length;
    }

    /// <summary>Of what came so far, in lower-case hexadecimal.</summary>
    public string Value => Convert.ToHexStringLower(_hash.GetCurrentHash());

    public void Dispose() => _hash.Dispose();
}
