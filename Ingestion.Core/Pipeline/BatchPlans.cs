using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Sources;
using Microsoft.EntityFrameworkCore;

namespace Ingestion.Core.Pipeline;

/// <summary>Looks a draft through before it is started, with the same eyes as the stages: nothing is fetched and nothing is changed.</summary>
public sealed class BatchPlans(Contexts contexts, BatchQueries batches, UploadFiles files, UploadFormats formats, SafeHttp fetching, EmbeddingModels models, PipelineOptions options)
{
    /// <summary>Null where there is no such draft in this tenant.</summary>
    public async Task<BatchPlan?> OfAsync(Scope scope, string publicId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        if (await db.Batches.AsNoTracking().FirstOrDefaultAsync(b => b.PublicId == publicId && b.Draft && b.DeletedAt == null, ct) is not { } batch) return null;
        var processing = ProcessingOptions.Read(JsonDocument.Parse(batch.Options).RootElement, new());
        var uploads = await db.Uploads.AsNoTracking().Where(u => u.BatchId == batch.Id).OrderBy(u => u.Id).ToListAsync(ct);
        var sent = uploads.Where(u => u is { CompletedAt: not null, Purpose: UploadPurposes.File }).ToList();
        var here = sent.Where(u => !UploadPurposes.IsArchive(u.Path)).ToList();
        var refused = new PlanRefusals();

        var byFormat = await FormatsAsync(here, refused, ct);
        var pasted = Addresses(await batches.PastedAsync(scope, batch.Id, ct), refused);
        var manifests = await ManifestsAsync(scope, batch.Id, uploads, refused, ct);
        var sources = new List<PlanPart>
        {
            new(SourceTypes.Upload, here.Count, here.Sum(u => u.Size)),
            new(SourceTypes.Url, pasted.Count, null),
            new(SourceTypes.Manifest, manifests.Sum(m => m.Rows), null),
        };
        return new(
            [.. sources.Where(s => s.Count > 0)], byFormat, refused.ToList(), manifests,
            processing.SkipExisting ? await KnownAsync(db, batch, ct) : new("", 0, 0),
            processing.SkipExisting ? Twins(here) : new("", 0, 0),
            pasted.Repeats, uploads.Count(u => u.CompletedAt is null), options.MaxItemsPerBatch, await ModelAsync(db, batch, processing, ct))
        {
            Listed = await db.Inputs.CountAsync(i => i.BatchId == batch.Id && !SubmissionSources.Own.Contains(i.SourceType), ct) + sent.Count - here.Count,
        };
    }

    private async Task<IReadOnlyList<PlanPart>> FormatsAsync(List<Upload> here, PlanRefusals refused, CancellationToken ct)
    {
        var parts = new Dictionary<string, PlanPart>();
        foreach (var upload in here)
        {
            try
            {
                if (upload.Size > options.MaxFileSizeBytes) throw new IngestionException(ErrorCodes.TooLarge, $"Files of more than {options.MaxFileSizeMb:N0} MiB are not taken.");
                var format = await formats.OfAsync(upload, ct);
                var part = parts.GetValueOrDefault(format) ?? new(format, 0, 0);
                parts[format] = part with { Count = part.Count + 1, Bytes = part.Bytes + upload.Size };
            }
            catch (IngestionException e)
            {
                refused.Add(e, upload.Path);
            }
        }
        return [.. parts.Values.OrderByDescending(p => p.Count).ThenBy(p => p.Name, StringComparer.Ordinal)];
    }

    private (int Count, int Repeats) Addresses(IReadOnlyList<UrlEntry> pasted, PlanRefusals refused)
    {
        var seen = new HashSet<string>();
        foreach (var entry in pasted)
        {
            if (seen.Add(entry.Url.Normalize())) Judge(entry.Url, entry.Url, refused);
        }
        return (seen.Count, pasted.Count - seen.Count);
    }

    private async Task<IReadOnlyList<PlanManifest>> ManifestsAsync(Scope scope, long batchId, List<Upload> uploads, PlanRefusals refused, CancellationToken ct)
    {
        var mappings = (await batches.ManifestsAsync(scope, batchId, ct)).Where(m => m.Path is null).ToDictionary(m => m.Upload);
        var plans = new List<PlanManifest>();
        foreach (var upload in uploads.Where(u => u is { CompletedAt: not null, Purpose: UploadPurposes.Manifest }))
        {
            try
            {
                plans.Add(new(upload.PublicId, upload.Path, await RowsAsync(upload, mappings.GetValueOrDefault(upload.PublicId), refused, ct), null));
            }
            catch (IngestionException e)
            {
                plans.Add(new(upload.PublicId, upload.Path, 0, e.Message));
            }
        }
        return plans;
    }

    private async Task<int> RowsAsync(Upload upload, ManifestEntry? mapping, PlanRefusals refused, CancellationToken ct)
    {
        if (mapping is null) throw new IngestionException(ErrorCodes.InvalidManifest, "No column with addresses is chosen. Choose one, or remove the file.");
        if (upload.Size == 0) throw new IngestionException(ErrorCodes.InvalidManifest, "The file is empty.");
        var path = files.PathOf(upload.PublicId);
        if (!File.Exists(path)) throw new IngestionException(ErrorCodes.MissingFile, "The file is not on disk any more. Remove it and upload it again.");
        await using (var counting = File.OpenRead(path))
        {
            var count = await ManifestReader.CountRowsAsync(counting, ct);
            if (count.Rows > options.MaxItemsPerBatch)
                throw new IngestionException(ErrorCodes.TooManyItems, $"It has {count.Rows:N0} rows; {options.MaxItemsPerBatch:N0} are allowed in a batch. Split the file.");
        }
        var rows = 0;
        await using var stream = File.OpenRead(path);
        await foreach (var row in ManifestReader.ReadAsync(stream, new(mapping.UrlColumn, mapping.TitleColumn), ct))
        {
            rows++;
            Judge(row.Url, $"{upload.Path}, line {row.Line}: {row.Url}", refused);
        }
        return rows;
    }

    private void Judge(string url, string name, PlanRefusals refused)
    {
        try
        {
            fetching.Rules.Parse(url);
        }
        catch (IngestionException e)
        {
            refused.Add(e, name);
        }
    }

    private static async Task<PlanPart> KnownAsync(IngestionDb db, ImportBatch batch, CancellationToken ct)
    {
        var known = await db.Uploads
            .Where(u => u.BatchId == batch.Id && u.Purpose == UploadPurposes.File && !EF.Functions.ILike(u.Path, "%.zip") && u.Sha256 != null && u.Size > 0)
            .Where(u => db.SourceVersions.Any(v => v.Sha256 == u.Sha256
                && db.Sources.Any(s => s.Id == v.SourceId && s.CollectionId == batch.CollectionId)
                && db.DocumentVersions.Any(d => d.SourceVersionId == v.Id
                    && db.Publications.Any(p => p.DocumentVersionId == d.Id && p.RevokedAt == null
                        && !db.Publications.Any(n => n.DocumentId == p.DocumentId && n.Id > p.Id && n.RevokedAt == null)))))
            .GroupBy(u => 1).Select(g => new { Count = g.LongCount(), Bytes = g.Sum(u => u.Size) }).FirstOrDefaultAsync(ct);
        return new("", known?.Count ?? 0, known?.Bytes ?? 0);
    }

    private static PlanPart Twins(List<Upload> here)
    {
        var twins = here.Where(u => u.Size > 0).GroupBy(u => u.Sha256).SelectMany(g => g.Skip(1)).ToList();
        return new("", twins.Count, twins.Sum(u => u.Size));
    }

    private async Task<PlanModel> ModelAsync(IngestionDb db, ImportBatch batch, ProcessingOptions processing, CancellationToken ct)
    {
        var collection = await db.Collections.Where(c => c.Id == batch.CollectionId).Select(c => c.EmbeddingModel).FirstOrDefaultAsync(ct);
        try
        {
            var model = models.Resolve(processing.EmbeddingModelPreference, collection);
            return new(model.Id, model.Note, null);
        }
        catch (IngestionException e)
        {
            return new(null, null, $"{e.Message} {e.Code.Remedy}");
        }
    }
}
