using System.IO.Compression;
using System.Xml;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>Reads sitemaps and indexes of sitemaps as a stream; a document type, or more than is allowed, ends it.</summary>
internal static class SitemapReader
{
    /// <summary>Addresses of one sitemap.</summary>
    public const int MaxEntries = 100_000;

    /// <summary>Longest sitemap unpacked, in bytes.</summary>
    public const long MaxBytes = 64L << 20;

    /// <summary>The addresses in it; <c>IsSitemap</c> where one leads to a further sitemap. Throws <c>bad_content</c> or <c>limit_exceeded</c>.</summary>
    public static IEnumerable<(string Url, bool IsSitemap)> Read(Stream file)
    {
        using var content = new Bounded(IsPacked(file) ? new GZipStream(file, CompressionMode.Decompress, leaveOpen: true) : file, MaxBytes);
        using var reader = XmlReader.Create(content, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreComments = true, IgnoreWhitespace = true });
        var (count, parent) = (0, "");
        while (Next(reader))
        {
            if (reader.NodeType != XmlNodeType.Element) continue;
            if (reader.LocalName is "url" or "sitemap") parent = reader.LocalName;
            if (reader.LocalName != "loc" || parent.Length == 0) continue;
            if (Next(reader) && reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA && reader.Value.Trim() is { Length: > 0 } url)
            {
                if (++count > MaxEntries) throw new IngestionException(ErrorCodes.LimitExceeded, $"The sitemap has more than {MaxEntries:N0} entries.");
                yield return (url, parent == "sitemap");
            }
        }
    }

    private static bool Next(XmlReader reader)
    {
        try
        {
            return reader.Read();
        }
        catch (Exception e) when (e is XmlException or InvalidDataException)
        {
            throw new IngestionException(ErrorCodes.BadContent, "The sitemap is no well-formed XML, or holds a document type.", e);
        }
    }

    private static bool IsPacked(Stream file)
    {
        var packed = file.ReadByte() == 0x1f && file.ReadByte() == 0x8b;
        file.Position = 0;
        return packed;
    }

    /// <summary>Ends what unpacks to more than is allowed.</summary>
    private sealed class Bounded(Stream inner, long most) : Stream
    {
        private long _total;

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = inner.Read(buffer, offset, count);
            _total += read;
            return _total <= most ? read : throw new IngestionException(ErrorCodes.LimitExceeded, $"The sitemap is longer than {most >> 20} MB.");
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException("reads forward only");
        public override long Position { get => _total; set => throw new NotSupportedException("reads forward only"); }
        public override void Flush() => inner.Flush();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException("reads forward only");
        public override void SetLength(long value) => throw new NotSupportedException("read only");
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("read only");
    }
}
