using System.Text;
using System.Text.Json;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;
using Ingestion.Core.Review.Rules;
using Ingestion.Core.Sources;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Resolution;

/// <summary>
/// Makes a record of a parsed document and decides whether a person is asked. Always settles: with links, candidates, confidence and reasons; what is
/// not sure enough is opened at review, what is below the thresholds ends rejected, and the rest goes on.
/// </summary>
public sealed class ResolveStage(
    NpgsqlDataSource worker, PreparedRecords prepared, RuleBook rules, ReviewOptions review, DocumentParsers parsers, IArtifactStore store, WorkFolder work) : IStage
{
    // Rules read the beginning of very long texts; records stand there.
    private const int MostText = 2_000_000;

    public Stage Stage => Stage.Resolve;

    public async Task<StageOutcome> RunAsync(StageContext context, CancellationToken ct)
    {
        var item = context.Item;
        var version = await ParsedVersion.LoadAsync(worker, item.DocumentVersionId ?? throw new InvalidOperationException($"item {item.ItemId} has no version"), ct);
        var (record, used) = item.RecordTypeId is { } type ? await ResolveAsync(context, type, version, ct) : (new ResolvedRecord([], null, true, null), []);
        var low = version.Quality < context.Options.QualityThreshold;
        var data = JsonSerializer.Serialize(new { confidence = record.Confidence, quality = version.Quality, fields = record.Fields.Count });
        SaveOutput save = (connection, token) => SaveAsync(connection, item, record, version.Id, token);
        if (record.Refused is { } refused && !low && !AllReviewed(item)) return new StageOutcome.Rejected(refused, save);

        var reasons = Reasons(item, record, low);
        // What a rule lets pass is counted, and a share of it looked at.
        var sampled = reasons.Count == 0 && used.Count > 0 && RulePasses.Sampled(item.ItemId, review.SampleShare);
        if (sampled) reasons.Add(ReviewReasons.Sample);
        SaveOutput passed = used.Count == 0 || reasons.Count > 0 && !sampled ? save : async (connection, token) =>
        {
            await save(connection, token);
            await RulePasses.RecordAsync(connection, item, used, sampled, token);
        };
        if (reasons.Count == 0) return new StageOutcome.Done(passed, data) { IsLight = true, Next = Stage.Embed };
        return new StageOutcome.Done(async (connection, token) =>
        {
            await passed(connection, token);
            await ReviewRows.OpenAsync(connection, item, reasons, record.Confidence, version.Quality, token);
        }, JsonSerializer.Serialize(new { confidence = record.Confidence, quality = version.Quality, reasons })) { IsLight = true, Next = Stage.Review };
    }

    private static List<string> Reasons(WorkItem item, ResolvedRecord record, bool low)
    {
        var reasons = new List<string>();
        if (low) reasons.Add(ReviewReasons.Quality);
        if (item.RecordTypeId is null) return reasons;
        if (record.Fields.Any(f => f.State == FieldState.NoList)) reasons.Add(ReviewReasons.NoList);
        if (record.Fields.Any(f => f.State == FieldState.Unmatched)) reasons.Add(ReviewReasons.Unmatched);
        if (record.Fields.Any(f => f.State == FieldState.Uncertain)) reasons.Add(ReviewReasons.Uncertain);
        if (record.Fields.Any(f => f is { Kind: FieldKind.Entity, Conflict: true })) reasons.Add(ReviewReasons.Conflict);
        if (!record.Accepted && reasons.Count == 0) reasons.Add(ReviewReasons.Incomplete);
        if (AllReviewed(item)) reasons.Add(ReviewReasons.Manifest);
        return reasons;
    }

    private static bool AllReviewed(WorkItem item) => item is { SourceType: SourceTypes.Manifest, AutoAccept: false };

    private async Task<(ResolvedRecord Record, IReadOnlyList<long> Used)> ResolveAsync(StageContext context, long recordType, ParsedVersion version, CancellationToken ct)
    {
        var extractor = await prepared.TypeAsync(recordType, ct);
        var lists = await prepared.ListsAsync(context.Item.CollectionId, recordType, extractor.Type, ct);
        var metadata = RecordSources.ParseMetadata(context.Item.Metadata);
        var sources = new RecordSources(context.Item.Name, version.Title, context.Item.SourceKey, metadata,
            await SelectAsync(context, extractor.Type, version, ct), RecordSources.ReadsText(extractor.Type) ? await TextAsync(version, ct) : "");
        var record = RecordResolver.Resolve(extractor, sources, lists);
        return RuleUse.Apply(extractor.Type, record, await rules.OfAsync(context.Item.CollectionId, record.Fields, ct), lists);
    }

    private async Task<string> TextAsync(ParsedVersion version, CancellationToken ct)
    {
        await using var content = await store.OpenAsync(version.Markdown, ct) ?? throw Gone();
        using var reader = new StreamReader(content);
        var text = new StringBuilder();
        var slice = new char[8192];
        while (text.Length < MostText && await reader.ReadBlockAsync(slice, ct) is > 0 and var read) text.Append(slice, 0, read);
        return text.ToString();
    }

    // Pages are read by the limited child, as they were when they were parsed.
    private async Task<IReadOnlyDictionary<PageSelector, string>> SelectAsync(StageContext context, RecordType type, ParsedVersion version, CancellationToken ct)
    {
        var selectors = RecordSources.SelectorsOf(type);
        if (selectors.Count == 0 || version.Format != "html") return new Dictionary<PageSelector, string>();
        var raw = await RawVersion.LoadAsync(worker, context.Item.SourceVersionId!.Value, ct);
        var scratch = work.NewFile();
        try
        {
            var path = raw.Uri.IsFile && File.Exists(raw.Uri.LocalPath) ? raw.Uri.LocalPath : await CopyAsync(raw.Uri, scratch, ct);
            var document = new RawDocument(path, context.Item.Name, raw.MediaType, raw.Charset, raw.FinalUrl, selectors);
            var (parsed, _, _) = await parsers.ParseAsync(document, ParseLimits.Default with { Timeout = context.Options.Timeout }, null, ct);
            return selectors.Zip(parsed.Selected ?? []).Where(p => p.Second is not null).ToDictionary(p => p.First, p => p.Second!);
        }
        finally
        {
            File.Delete(scratch);
        }
    }

    private async Task<string> CopyAsync(Uri from, string to, CancellationToken ct)
    {
        await using var stored = await store.OpenAsync(from, ct) ?? throw Gone();
        await using var file = File.Create(to);
        await stored.CopyToAsync(file, ct);
        return to;
    }

    private static IngestionException Gone() => new(ErrorCodes.MissingFile, "The stored files of this document are gone from the artifact store.");

    private static async Task SaveAsync(NpgsqlConnection connection, WorkItem item, ResolvedRecord record, long version, CancellationToken ct)
    {
        const string sql = """
            INSERT INTO ingestion.item_record (item_id, tenant_id, batch_id, record_type_id, document_version_id, fields, confidence, resolved_at)
            VALUES (@item, @tenant, @batch, @type, @version, @fields, @confidence, ingestion.clock())
            ON CONFLICT (item_id) DO UPDATE
                SET record_type_id = excluded.record_type_id, document_version_id = excluded.document_version_id, fields = excluded.fields,
                    confidence = excluded.confidence, resolved_at = excluded.resolved_at
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("item", item.ItemId), new("tenant", item.TenantId), new("batch", item.BatchId), new("version", version),
                new("type", NpgsqlDbType.Bigint) { Value = (object?)item.RecordTypeId ?? DBNull.Value },
                new("fields", NpgsqlDbType.Jsonb) { Value = ResolvedField.ToJson(record.Fields) },
                new("confidence", NpgsqlDbType.Double) { Value = (object?)record.Confidence ?? DBNull.Value },
            },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    private sealed record ParsedVersion(long Id, string Title, string Format, double? Quality, Uri Markdown)
    {
        public static async Task<ParsedVersion> LoadAsync(NpgsqlDataSource worker, long id, CancellationToken ct)
        {
            await using var command = worker.CreateCommand("SELECT id, title, format, quality, markdown_uri FROM ingestion.document_version WHERE id = $1");
            command.Parameters.Add(new() { Value = id });
            await using var r = await command.ExecuteReaderAsync(ct);
            if (!await r.ReadAsync(ct)) throw new IngestionException(ErrorCodes.MissingFile, "The parsed version of this document is gone.");
            return new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.IsDBNull(3) ? null : r.GetDouble(3), new(r.GetString(4)));
        }
    }
}
