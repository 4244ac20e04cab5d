using System.IO.Compression;
using System.Text;

namespace Ingestion.Tests.Sources;

/// <summary>Archives made in memory.</summary>
internal static class ZipSamples
{
    /// <summary>An archive of these entries; a content is bytes, a text or a <see cref="Link"/>.</summary>
    public static byte[] Zip(params (string Name, object Content)[] entries)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, content) in entries)
            {
                var entry = zip.CreateEntry(name);
                if (content is Link) entry.ExternalAttributes = unchecked((int)0xa1ff0000);
                using var stream = entry.Open();
                stream.Write(content switch { byte[] b => b, Link l => Encoding.UTF8.GetBytes(l.Target), _ => Encoding.UTF8.GetBytes((string)content) });
            }
        return bytes.ToArray();
    }

    /// <summary>An entry that is a symbolic link.</summary>
    internal sealed record Link(string Target);
}
