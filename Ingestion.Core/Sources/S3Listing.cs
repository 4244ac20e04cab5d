using System.Globalization;
using System.Xml;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>An object of a bucket as a list names it.</summary>
/// <param name="Changed">Null where the store does not say.</param>
internal sealed record S3Object(string Key, long Size, string ETag, DateTimeOffset? Changed);

/// <summary>One page of the list of a bucket (ListObjectsV2).</summary>
/// <param name="Next">The store's token for the page after it; null for the last.</param>
internal sealed record S3Listing(IReadOnlyList<S3Object> Objects, string? Next)
{
    /// <summary>The parameters that ask for a page, in the order that the signature wants.</summary>
    /// <param name="token">Null for the first page.</param>
    public static string Query(string? token, int most, string prefix) => string.Create(CultureInfo.InvariantCulture,
        $"{(token is null ? "" : $"continuation-token={S3Signature.Escape(token)}&")}list-type=2&max-keys={most}{(prefix.Length == 0 ? "" : $"&prefix={S3Signature.Escape(prefix)}")}");

    /// <summary>Reads an answer. Throws <c>bad_content</c> naming the host where it is no list, or one that is cut off.</summary>
    public static S3Listing Read(byte[] body, string host)
    {
        try
        {
            using var reader = XmlReader.Create(new MemoryStream(body), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            var (objects, next, more) = (new List<S3Object>(), (string?)null, false);
            string? key = null, tag = null;
            DateTimeOffset? changed = null;
            var size = 0L;
            while (reader.Read())
            {
                if (reader is { NodeType: XmlNodeType.EndElement, LocalName: "Contents" } && key is not null) objects.Add(new(key, size, tag ?? "", changed));
                if (reader.NodeType != XmlNodeType.Element) continue;
                switch (reader.LocalName)
                {
                    case "Contents":
                        (key, tag, size, changed) = (null, null, 0, null);
                        break;
                    case "Key":
                        key = reader.Read() ? reader.Value : null;
                        break;
                    case "ETag":
                        tag = reader.Read() ? reader.Value.Trim('"') : null;
                        break;
                    case "Size":
                        size = reader.Read() && long.TryParse(reader.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : 0;
                        break;
                    case "LastModified":
                        changed = reader.Read() && DateTimeOffset.TryParse(reader.Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
                        break;
                    case "NextContinuationToken":
                        next = reader.Read() ? reader.Value : null;
                        break;
                    case "IsTruncated":
                        more = reader.Read() && reader.Value == "true";
                        break;
                }
            }
            // A list that says that it goes on and not where would be taken for the whole.
            if (more && string.IsNullOrEmpty(next)) throw new IngestionException(ErrorCodes.BadContent, $"{host} sends a list that is cut off.");
            return new(objects, more ? next : null);
        }
        catch (XmlException e)
        {
            throw new IngestionException(ErrorCodes.BadContent, $"{host} does not answer like an S3-compatible store.", e);
        }
    }
}
