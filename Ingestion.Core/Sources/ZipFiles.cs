using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// Archives as they may be hostile: what their directory declares is never believed. Counts and sizes are checked before anything is held
/// in memory, entries are counted and summed while they unpack, and nothing is ever written under a name from inside.
/// </summary>
internal static class ZipFiles
{
    private const int RatioFree = 1 << 20;
    private const int HighestRatio = 100;
    private const int TailLength = 66_000;
    private const uint EndSignature = 0x06054b50;
    private static readonly uint[] Table = [.. Enumerable.Range(0, 256).Select(Polynomial)];

    /// <summary>Opens an archive. Throws <c>corrupt</c> or <c>limit_exceeded</c>.</summary>
    public static ZipArchive Open(Stream file, int maxEntries)
    {
        try
        {
            // The declared number first: a directory of millions of entries is not even read.
            if (DeclaredEntries(file) is { } declared && declared > maxEntries) throw TooMany(maxEntries);
            var archive = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);
            if (archive.Entries.Count > maxEntries) throw TooMany(maxEntries);
            // Entries that share bytes unpack to any multiple of what is there.
            if (archive.Entries.Sum(e => Math.Max(0, e.CompressedLength)) > file.Length) throw Corrupt("its entries overlap");
            return archive;
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or ArgumentException or NotSupportedException or OverflowException)
        {
            throw new IngestionException(ErrorCodes.Corrupt, "The archive is damaged or truncated: its directory cannot be read.", e);
        }
    }

    /// <summary>True for an entry that stands for a directory.</summary>
    public static bool IsDirectory(ZipArchiveEntry entry) => entry.FullName.EndsWith('/') || entry.FullName.EndsWith('\\');

    /// <summary>The name as text: never used as a path of ours.</summary>
    public static string NameOf(ZipArchiveEntry entry) => entry.FullName.Replace('\0', '\uFFFD');

    /// <summary>True for links and devices, by the attributes of the system that packed it.</summary>
    public static bool IsSpecial(ZipArchiveEntry entry) => ((entry.ExternalAttributes >> 16) & 0xf000) is not (0 or 0x8000 or 0x4000);

    /// <summary>What stays the same while the entry does.</summary>
    public static string FingerprintOf(ZipArchiveEntry entry) => string.Create(CultureInfo.InvariantCulture, $"{entry.Crc32:x8}:{entry.Length}");

    /// <summary>
    /// Unpacks an entry into the fetch's file. Throws <c>encrypted</c>, <c>unsupported</c>, <c>too_large</c>, <c>limit_exceeded</c> or
    /// <c>corrupt</c>, the last also where size or checksum are not what is declared.
    /// </summary>
    public static async Task<(long Length, string Sha256)> UnpackAsync(ZipArchiveEntry entry, FetchTarget target, CancellationToken ct)
    {
        if (entry.IsEncrypted) throw new IngestionException(ErrorCodes.Encrypted, "The file in the archive is protected with a password.");
        var crc = uint.MaxValue;
        try
        {
            await using var content = OpenEntry(entry);
            var (length, sha256) = await LocalCopy.ToAsync(content, target, null, ct, (soFar, bytes) =>
            {
                if (soFar > RatioFree && soFar / HighestRatio > Math.Max(entry.CompressedLength, 1))
                    throw new IngestionException(ErrorCodes.LimitExceeded, $"The file unpacks to more than {HighestRatio} times its size (a zip bomb).");
                crc = Checksum(crc, bytes.Span);
            });
            if (length != entry.Length) throw Corrupt($"a file in it has {length:N0} bytes, not the {entry.Length:N0} that are declared");
            if (~crc != entry.Crc32) throw Corrupt("the checksum of a file in it does not fit");
            return (length, sha256);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new IngestionException(ErrorCodes.Corrupt, "The archive is damaged: a file in it cannot be unpacked.", e);
        }
    }

    private static Stream OpenEntry(ZipArchiveEntry entry)
    {
        try
        {
            return entry.Open();
        }
        catch (InvalidDataException e) when (e.Message.Contains("support", StringComparison.OrdinalIgnoreCase))
        {
            throw new IngestionException(ErrorCodes.Unsupported, "The file is packed with a compression that is not supported. Pack it with deflate.", e);
        }
    }

    // The number in the record at the end of the file; null where it is in the longer record of large archives, or there is none.
    private static int? DeclaredEntries(Stream file)
    {
        var tail = new byte[(int)Math.Min(file.Length, TailLength)];
        file.Seek(-tail.Length, SeekOrigin.End);
        file.ReadExactly(tail);
        file.Position = 0;
        for (var at = tail.Length - 22; at >= 0; at--)
            if (BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(at)) == EndSignature)
            {
                // A directory of ten million entries has at least 46 bytes for each.
                var count = BinaryPrimitives.ReadUInt16LittleEndian(tail.AsSpan(at + 10));
                var directory = BinaryPrimitives.ReadUInt32LittleEndian(tail.AsSpan(at + 12));
                return count < ushort.MaxValue ? count : directory == uint.MaxValue ? int.MaxValue : (int)(directory / 46);
            }
        return null;
    }

    private static uint Checksum(uint crc, ReadOnlySpan<byte> bytes)
    {
        foreach (var b in bytes) crc = Table[(crc ^ b) & 0xff] ^ (crc >> 8);
        return crc;
    }

    private static uint Polynomial(int n)
    {
        var value = (uint)n;
        for (var bit = 0; bit < 8; bit++) value = (value & 1) == 1 ? 0xedb88320 ^ (value >> 1) : value >> 1;
        return value;
    }

    private static IngestionException TooMany(int most) => new(ErrorCodes.LimitExceeded, $"The archive has more than {most:N0} entries.");

    private static IngestionException Corrupt(string why) => new(ErrorCodes.Corrupt, $"The archive is damaged: {why}.");
}
