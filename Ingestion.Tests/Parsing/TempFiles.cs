using System.Text;
using Ingestion.Core.Parsing;

namespace Ingestion.Tests.Parsing;

/// <summary>Documents of one test, in a directory of their own that goes with it.</summary>
public sealed class TempFiles : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("parsing-");

    public RawDocument Add(string name, byte[] content, string? mediaType = null, string? charset = null, Uri? url = null)
    {
        var path = Path.Combine(_directory.FullName, Guid.NewGuid().ToString("N"));
        File.WriteAllBytes(path, content);
        return new RawDocument(path, name, mediaType, charset, url);
    }

    public RawDocument Add(string name, string content, string? mediaType = null, Uri? url = null) =>
        Add(name, Encoding.UTF8.GetBytes(content), mediaType, url: url);

    public void Dispose() => _directory.Delete(recursive: true);
}
