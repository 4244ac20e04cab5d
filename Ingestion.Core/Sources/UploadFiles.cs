namespace Ingestion.Core.Sources;

/// <summary>Where uploaded bytes lie until the artifact store has them. File names are ids, never what a client sent.</summary>
public sealed class UploadFiles(string folder)
{
    public string Folder { get; } = Directory.CreateDirectory(folder).FullName;

    public string PathOf(string publicId) => System.IO.Path.Combine(Folder, publicId);
}

/// <summary>Scratch files of running tasks; whatever is left in it at a start belongs to a process that died.</summary>
public sealed class WorkFolder
{
    public WorkFolder(string folder)
    {
        Folder = Directory.CreateDirectory(folder).FullName;
    }

    public string Folder { get; }

    public string NewFile() => System.IO.Path.Combine(Folder, Guid.NewGuid().ToString("n"));

    /// <summary>Call once at the start of the only process on this folder.</summary>
    public void Clear()
    {
        foreach (var file in Directory.EnumerateFiles(Folder)) File.Delete(file);
    }
}
