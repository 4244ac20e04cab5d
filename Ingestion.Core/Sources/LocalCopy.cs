using System.Buffers;
using System.Security.Cryptography;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>Copies what is open on this machine into the fetch's file, hashing and counting while it reads.</summary>
internal static class LocalCopy
{
    /// <summary>Throws <c>too_large</c> where more comes than is allowed.</summary>
    /// <param name="total">Bytes to expect; null where that is not known.</param>
    /// <returns>Bytes copied and their SHA-256 in lower-case hexadecimal.</returns>
    public static async Task<(long Length, string Sha256)> ToAsync(Stream content, FetchTarget target, long? total, CancellationToken ct, Action<long, ReadOnlyMemory<byte>>? inspect = null)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var copy = new FileStream(target.Path, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0, Options = FileOptions.Asynchronous });
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            long length = 0;
            for (int n; (n = await content.ReadAsync(buffer, ct)) > 0;)
            {
                length += n;
                if (length > target.MaxBytes) throw new IngestionException(ErrorCodes.TooLarge, $"The document is larger than {target.MaxBytes:N0} bytes.");
                inspect?.Invoke(length, buffer.AsMemory(0, n));
                hash.AppendData(buffer, 0, n);
                await copy.WriteAsync(buffer.AsMemory(0, n), ct);
                target.Report(length, total);
            }
            return (length, Convert.ToHexStringLower(hash.GetHashAndReset()));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
