using System.IO.Compression;
using System.Xml;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>
/// Looks through an Office file before anything else opens it: entry count, sizes counted while unpacking (what the directory
/// declares is not believed), ratio, XML depth, and no DTD anywhere.
/// </summary>
internal static class OfficeZip
{
    private const int MostEntries = 10_000;
    private const long MostBytes = 500L << 20;
    private const long MostXmlBytes = 200L << 20;
    private const int FreeBytes = 1 << 20;
    private const int HighestRatio = 100;
    private const int DeepestXml = 256;

    /// <summary>Throws <c>limit_exceeded</c>, <c>encrypted</c> or <c>corrupt</c>. The stream's position is moved.</summary>
    public static void Inspect(Stream file, CancellationToken ct)
    {
        try
        {
            using var zip = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);
            if (zip.Entries.Count > MostEntries) throw Limit($"more than {MostEntries:N0} entries");
            long total = 0;
            foreach (var entry in zip.Entries)
            {
                ct.ThrowIfCancellationRequested();
                if (entry.IsEncrypted) throw new IngestionException(ErrorCodes.Encrypted, "The file is encrypted with a password.");
                var isXml = entry.FullName.EndsWith(".xml", StringComparison.OrdinalIgnoreCase) || entry.FullName.EndsWith(".rels", StringComparison.OrdinalIgnoreCase);
                // Pictures and other attachments are never unpacked, so what they would unpack to does not matter.
                if (!isXml) continue;
                using var counted = new CountedStream(entry.Open(), entry.CompressedLength, MostXmlBytes, ct);
                CheckXml(counted, entry.FullName);
                if ((total += counted.Total) > MostBytes) throw Limit($"more than {MostBytes >> 20} MB of XML");
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or ArgumentException or NotSupportedException)
        {
            throw new IngestionException(ErrorCodes.Corrupt, "The file is damaged or truncated: its zip container cannot be read.", e);
        }
    }

    private static void CheckXml(Stream stream, string part)
    {
        try
        {
            using var reader = XmlReader.Create(stream, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, CheckCharacters = false });
            while (reader.Read())
                if (reader.Depth > DeepestXml) throw Limit($"XML nested deeper than {DeepestXml} levels");
        }
        catch (XmlException e)
        {
            throw new IngestionException(ErrorCodes.Corrupt, $"The file is damaged: its part “{Path.GetFileName(part)}” is malformed or holds a forbidden document type.", e);
        }
    }

    private static IngestionException Limit(string what) => new(ErrorCodes.LimitExceeded, $"The file exceeds a limit: {what}.");

    /// <summary>Counts what comes out of an entry and stops a bomb while it unpacks.</summary>
    private sealed class CountedStream(Stream inner, long compressed, long most, CancellationToken ct) : Stream
    {
        public long Total { get; private set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            ct.ThrowIfCancellationRequested();
            var read = inner.Read(buffer, offset, count);
            Total += read;
            if (Total > most) throw Limit($"an entry unpacks to more than {most >> 20} MB");
            if (Total > FreeBytes && Total / HighestRatio > Math.Max(compressed, 1)) throw Limit($"a compression ratio above {HighestRatio} (a zip bomb)");
            return read;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => Total; set => throw new NotSupportedException(); }
        public override void Flush() => inner.Flush();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
