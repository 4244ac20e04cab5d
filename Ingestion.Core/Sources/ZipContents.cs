using System.IO.Compression;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Sources;

/// <summary>
/// What zip archives hold, wherever they came from. A file's name is its path in the archive; an archive inside counts as a directory, to a
/// depth; deeper ones are files that no parser takes.
/// </summary>
public sealed class ZipContents(WorkFolder work, PipelineOptions pipeline, IOptionsMonitor<SourceOptions> options)
{
    /// <summary>Archives inside archives that are opened at most.</summary>
    public const int Deepest = 3;

    private const int PageSize = 500;

    // For a directory of many archives, all in all.
    private static readonly TimeSpan ListingTime = TimeSpan.FromMinutes(10);

    /// <summary>The files of an archive, page by page, the last page with a gap where archives inside could not be opened. Throws <c>corrupt</c> or <c>limit_exceeded</c>.</summary>
    /// <param name="prefix">Stands before the names, with its slash.</param>
    internal async Task<IReadOnlyList<ListedPage>> ListAsync(Stream file, string prefix, int nested, Func<string, bool> wanted, IReadOnlyDictionary<string, string> metadata, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(ListingTime);
        var found = new List<ListedItem>();
        var gaps = new List<string>();
        try
        {
            await ListAsync(file, prefix, nested, found, gaps, metadata, limit.Token);
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new IngestionException(ErrorCodes.LimitExceeded, $"The archive could not be listed in {ListingTime.TotalMinutes:0} minutes.", e);
        }
        List<ListedPage> pages = [.. found.Where(i => wanted(i.SourceKey)).Chunk(PageSize).Select(page => new ListedPage(page, page[^1].SourceKey))];
        if (gaps.Count > 0) pages.Add(new([], "") { Gap = $"{gaps.Count} archives inside could not be opened, the first of them {gaps[0]}." });
        return pages;
    }

    /// <summary>Unpacks one file of an archive. Throws <c>missing_file</c> where there is none of this name, and what <see cref="ZipFiles.UnpackAsync"/> throws.</summary>
    internal async Task<FetchedDocument> FetchAsync(Stream file, string key, int row, FetchTarget target, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(target.Timeout);
        try
        {
            return await FetchAsync(file, key, row, Deepest, target, limit.Token)
                ?? throw new IngestionException(ErrorCodes.MissingFile, "The archive has no file of this name (any more).");
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw new IngestionException(ErrorCodes.LimitExceeded, "The file could not be unpacked in time.", e);
        }
    }

    /// <summary>Throws where the archive cannot be opened.</summary>
    internal void Test(Stream file)
    {
        using var archive = ZipFiles.Open(file, options.CurrentValue.ZipMaxEntries);
    }

    private async Task ListAsync(Stream file, string prefix, int nested, List<ListedItem> found, List<string> gaps, IReadOnlyDictionary<string, string> metadata, CancellationToken ct)
    {
        using var archive = ZipFiles.Open(file, options.CurrentValue.ZipMaxEntries);
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var entry in archive.Entries)
        {
            ct.ThrowIfCancellationRequested();
            if (ZipFiles.IsDirectory(entry)) continue;
            if (found.Count >= options.CurrentValue.ZipMaxEntries) throw new IngestionException(ErrorCodes.LimitExceeded, $"The archive and those inside have more than {options.CurrentValue.ZipMaxEntries:N0} entries.");
            var key = prefix + ZipFiles.NameOf(entry);
            if (nested > 0 && IsArchive(entry) && await NestedAsync(entry, key, nested, found, gaps, metadata, ct)) continue;
            // The same name twice is two files.
            var row = seen[key] = seen.TryGetValue(key, out var before) ? before + 1 : 0;
            found.Add(new(key, row, Shown(key), metadata) { Size = entry.Length, Fingerprint = ZipFiles.FingerprintOf(entry) });
        }
    }

    // False where it cannot be opened: then it is a file like any other, whose failure says why.
    private async Task<bool> NestedAsync(ZipArchiveEntry entry, string key, int nested, List<ListedItem> found, List<string> gaps, IReadOnlyDictionary<string, string> metadata, CancellationToken ct)
    {
        var scratch = work.NewFile();
        var before = found.Count;
        try
        {
            await ZipFiles.UnpackAsync(entry, Target(scratch), ct);
            await using var inner = File.OpenRead(scratch);
            await ListAsync(inner, key + "/", nested - 1, found, gaps, metadata, ct);
            return true;
        }
        catch (IngestionException e) when (e.Code != ErrorCodes.LimitExceeded || found.Count == before)
        {
            found.RemoveRange(before, found.Count - before);
            gaps.Add(key);
            return false;
        }
        finally
        {
            File.Delete(scratch);
        }
    }

    private async Task<FetchedDocument?> FetchAsync(Stream file, string key, int row, int nested, FetchTarget target, CancellationToken ct)
    {
        using var archive = ZipFiles.Open(file, options.CurrentValue.ZipMaxEntries);
        var entries = archive.Entries.Where(e => !ZipFiles.IsDirectory(e)).ToList();
        if (entries.Where(e => ZipFiles.NameOf(e) == key).ElementAtOrDefault(row) is { } entry)
        {
            if (ZipFiles.IsSpecial(entry)) return FetchedDocument.None("It is a link or a device inside the archive, which is not followed.");
            if (entry.Length == 0) throw new IngestionException(ErrorCodes.Empty, "The file is empty: it has zero bytes.");
            if (entry.Length > target.MaxBytes) throw new IngestionException(ErrorCodes.TooLarge, $"The file in the archive has {entry.Length:N0} bytes; {target.MaxBytes:N0} are allowed.");
            var (length, sha256) = await ZipFiles.UnpackAsync(entry, target, ct);
            return new(length, sha256, LastModified: null);
        }
        if (nested == 0) return null;
        foreach (var inner in entries.Where(e => IsArchive(e) && key.StartsWith(ZipFiles.NameOf(e) + "/", StringComparison.Ordinal)))
        {
            var scratch = work.NewFile();
            try
            {
                await ZipFiles.UnpackAsync(inner, Target(scratch), ct);
                await using var unpacked = File.OpenRead(scratch);
                if (await FetchAsync(unpacked, key[(ZipFiles.NameOf(inner).Length + 1)..], row, nested - 1, target, ct) is { } document) return document;
            }
            finally
            {
                File.Delete(scratch);
            }
        }
        return null;
    }

    private FetchTarget Target(string scratch) => new(scratch, pipeline.MaxFileSizeBytes, ListingTime, null, null, (_, _, _) => { });

    private static bool IsArchive(ZipArchiveEntry entry) => entry.FullName.EndsWith(".zip", StringComparison.OrdinalIgnoreCase) && !entry.IsEncrypted && !ZipFiles.IsSpecial(entry);

    private static string Shown(string key) => key[(key.LastIndexOfAny(['/', '\\']) + 1)..] is { Length: > 0 } name ? name : key;
}
