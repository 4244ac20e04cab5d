using Ingestion.Core.Access;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Data;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Core.Library;

/// <summary>An open file and what it is to be called when somebody keeps it. The reader disposes of the content.</summary>
/// <param name="Name">A file name without directories and control characters.</param>
public sealed record StoredFile(Stream Content, string Name, string MediaType);

/// <summary>The bytes behind a document version, for whoever may see its tenant. Null where there is no such version or its file is gone.</summary>
public sealed class DocumentFiles(Contexts contexts, IArtifactStore store)
{
    private const int MaxName = 120;

    public async Task<StoredFile?> MarkdownAsync(Scope scope, long versionId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var version = await db.DocumentVersions.Where(v => v.Id == versionId).Select(v => new { v.MarkdownUri, v.Title }).FirstOrDefaultAsync(ct);
        return version is null || await store.OpenAsync(new(version.MarkdownUri), ct) is not { } content
            ? null
            : new(content, FileName(version.Title, ".md"), "text/markdown; charset=utf-8");
    }

    /// <summary>The bytes as they came, never named by a type that a browser would run.</summary>
    public async Task<StoredFile?> RawAsync(Scope scope, long versionId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var found = await (
            from v in db.DocumentVersions
            join s in db.SourceVersions on v.SourceVersionId equals s.Id
            join o in db.Sources on s.SourceId equals o.Id
            where v.Id == versionId
            select new { s.RawUri, s.FinalUrl, o.SourceKey }).FirstOrDefaultAsync(ct);
        return found is null || await store.OpenAsync(new(found.RawUri), ct) is not { } content
            ? null
            : new(content, FileName(LastPart(found.FinalUrl ?? found.SourceKey), ""), "application/octet-stream");
    }

    private static string LastPart(string key)
    {
        var path = Uri.TryCreate(key, UriKind.Absolute, out var url) && !url.IsFile ? Uri.UnescapeDataString(url.AbsolutePath) : key;
        return path.TrimEnd('/').Split('/')[^1];
    }

    /// <summary>What no file system or shell trips over; never empty, never hidden.</summary>
    internal static string FileName(string name, string extension)
    {
        var clean = string.Concat(name.Select(c => char.IsControl(c) || char.IsSurrogate(c) || "\\/:*?\"<>|".Contains(c) ? '_' : c)).Trim(' ', '.');
        if (clean.Length > MaxName) clean = clean[..MaxName];
        return (clean.Length == 0 ? "document" : clean) + extension;
    }
}
