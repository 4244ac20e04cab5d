using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Chunking;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Npgsql;

namespace Ingestion.Core.Parsing;

/// <summary>Turns raw bytes into Markdown, its record and its chunks: one document version for one set of options.</summary>
public sealed class ParseStage(NpgsqlDataSource worker, DocumentParsers parsers, IChunker chunker, IArtifactStore store, ArtifactWriter artifacts, WorkFolder work) : IStage
{
    public Stage Stage => Stage.Parse;

    public async Task<StageOutcome> RunAsync(StageContext context, CancellationToken ct)
    {
        var item = context.Item;
        var raw = await RawVersion.LoadAsync(worker, item.SourceVersionId ?? throw new InvalidOperationException($"item {item.ItemId} has no bytes"), ct);
        var hash = OptionsHash(context.Options, item.Metadata);
        if (await DocumentVersions.FindAsync(worker, raw.Id, hash, ct) is { } made) return Reused(context, made);

        var scratch = work.NewFile();
        try
        {
            var started = Stopwatch.GetTimestamp();
            var (document, format, parserVersion) = await ReadAsync(context, raw, scratch, ct);
            var parsed = Stopwatch.GetElapsedTime(started);
            await context.ReportAsync(ItemStep.Chunking, 0, null, "Chunking", ct);
            var chunks = chunker.Split(document.Markdown, context.Options.Chunking).ToList();
            if (chunks.Count == 0) throw new IngestionException(ErrorCodes.NoText, "The document holds no text.");

            var version = new NewDocumentVersion(await DocumentVersions.ReserveAsync(worker, ct), raw, hash, format, parserVersion, document, chunks, Title(document, item), item.Metadata, DocumentQuality.Of(document));
            var markdown = await WriteAsync(context, version, "markdown", ArtifactKeys.VersionMarkdown, Encoding.UTF8.GetBytes(document.Markdown), ct);
            var record = await WriteAsync(context, version, "record", ArtifactKeys.VersionRecord, ParseRecord.Json(context, version, parsed), ct);
            return new StageOutcome.Done(
                (connection, token) => DocumentVersions.SaveAsync(connection, item, version, markdown, record, token),
                JsonSerializer.Serialize(new { format, characters = document.Markdown.Length, chunks = chunks.Count, quality = Math.Round(version.Quality.Score, 3) }))
            {
                Next = Next(context, version.Quality.Score),
            };
        }
        finally
        {
            File.Delete(scratch);
        }
    }

    private static StageOutcome.Done Reused(StageContext context, (long Id, int Chunks, double? Quality) made) =>
        new((connection, token) => DocumentVersions.SetOnItemAsync(connection, context.Item.ItemId, made.Id, made.Chunks, token), $$"""{"chunks":{{made.Chunks}},"reused":true}""")
        {
            IsLight = true, Next = Next(context, made.Quality),
        };

    // Only what has something to be resolved, or is hardly readable, takes the way past people.
    private static Stage Next(StageContext context, double? quality) =>
        context.Item.RecordTypeId is not null || quality < context.Options.QualityThreshold ? Stage.Resolve : Stage.Embed;

    private async Task<(ParsedDocument Document, string Format, int ParserVersion)> ReadAsync(StageContext context, RawVersion raw, string scratch, CancellationToken ct)
    {
        var path = await LocalPathAsync(raw.Uri, scratch, ct);
        await using var ticker = new ProgressTicker(context, ItemStep.Parsing, ct);
        var document = new RawDocument(path, FileName(context.Item, raw), raw.MediaType, raw.Charset, raw.FinalUrl);
        return await parsers.ParseAsync(document, ParseLimits.Default with { Timeout = context.Options.Timeout }, ticker.Report, ct);
    }

    private async Task<string> LocalPathAsync(Uri uri, string scratch, CancellationToken ct)
    {
        if (uri.IsFile && File.Exists(uri.LocalPath)) return uri.LocalPath;
        await using var stored = await store.OpenAsync(uri, ct)
            ?? throw new IngestionException(ErrorCodes.MissingFile, "The stored bytes of this document are gone from the artifact store.");
        await using var file = File.Create(scratch);
        await stored.CopyToAsync(file, ct);
        return scratch;
    }

    private Task<WrittenArtifact> WriteAsync(StageContext context, NewDocumentVersion version, string kind, Func<string, string, string, string, string> key, byte[] bytes, CancellationToken ct) =>
        artifacts.WriteAsync(context.Item.TenantId, kind, key(context.Item.TenantId, Number(version.Raw.SourceId), Number(version.Raw.Id), Number(version.Id)), new MemoryStream(bytes), ct);

    private static string Number(long id) => id.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static string FileName(WorkItem item, RawVersion raw) => item.SourceType == SourceTypes.Upload ? item.Name
        : raw.FinalUrl is { } url && Path.GetFileName(url.AbsolutePath) is { Length: > 0 } last ? Uri.UnescapeDataString(last) : item.Name;

    private static string Title(ParsedDocument document, WorkItem item)
    {
        var title = string.IsNullOrWhiteSpace(document.Title) ? item.Name : document.Title;
        title = title.Replace('\0', '\uFFFD').Trim();
        return title.Length <= 500 ? title : title[..500];
    }

    // The parsers' versions belong to it: a better parser makes a new version of the same bytes.
    private static string OptionsHash(ProcessingOptions options, string metadata) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{options.OutputHash}\n{ParserRegistry.Fingerprint}\n{metadata}")));
}
