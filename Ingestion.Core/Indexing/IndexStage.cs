using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Indexing;

/// <summary>Makes a version findable and publishes it, in one transaction: readers see the old one until the new one is whole.</summary>
public sealed class IndexStage(PublishedNames names) : IStage
{
    private const int Slice = 500;

    public Stage Stage => Stage.Index;

    public Task<StageOutcome> RunAsync(StageContext context, CancellationToken ct)
    {
        var item = context.Item;
        var version = item.DocumentVersionId ?? throw new InvalidOperationException($"item {item.ItemId} has no version");
        var generation = item.GenerationId ?? throw new InvalidOperationException($"item {item.ItemId} has no vectors");
        return Task.FromResult<StageOutcome>(new StageOutcome.Done(
            (connection, token) => SaveAsync(context, connection, version, generation, token),
            After: token => names.ExportAsync(version, token)));
    }

    private static async Task SaveAsync(StageContext context, NpgsqlConnection connection, long version, long generation, CancellationToken ct)
    {
        const string rows = """
            INSERT INTO ingestion.chunk_fts (chunk_id, tenant_id, collection_id, document_version_id, generation_id, tsv)
            SELECT c.id, c.tenant_id, d.collection_id, c.document_version_id, @generation,
                   setweight(to_tsvector('simple', v.title), 'A') || setweight(to_tsvector('simple', c.heading_path), 'B') || setweight(to_tsvector('simple', c.text), 'C')
            FROM ingestion.chunk c
            JOIN ingestion.document_version v ON v.id = c.document_version_id
            JOIN ingestion.document d ON d.id = v.document_id
            WHERE c.document_version_id = @version AND c.ordinal >= @from AND c.ordinal < @to
            ON CONFLICT (chunk_id) DO UPDATE SET generation_id = excluded.generation_id, tsv = excluded.tsv
            """;
        // The row lock orders publications of two batches that carry the same document. The publishing is a statement of its own, so that
        // the one that waited sees what the other published.
        const string publish = """
            SELECT 1 FROM ingestion.document d JOIN ingestion.document_version v ON v.document_id = d.id WHERE v.id = @version FOR UPDATE OF d;
            INSERT INTO ingestion.publication (tenant_id, document_id, document_version_id, batch_id, published_at)
            SELECT v.tenant_id, v.document_id, v.id, @batch, ingestion.clock() FROM ingestion.document_version v
            WHERE v.id = @version AND NOT ingestion.published_version(v.id)
            """;
        await using var count = new NpgsqlCommand("SELECT chunk_count FROM ingestion.document_version WHERE id = $1", connection) { Parameters = { new() { Value = version } } };
        var total = (int)(await count.ExecuteScalarAsync(ct))!;
        for (var from = 0; from < total; from += Slice)
        {
            await using var command = new NpgsqlCommand(rows, connection) { Parameters = { new("generation", generation), new("version", version), new("from", from), new("to", from + Slice) } };
            await command.ExecuteNonQueryAsync(ct);
            var added = Math.Min(from + Slice, total);
            await context.ReportAsync(ItemStep.Storing, added, total, $"{added} / {total} chunks added", ct);
        }
        await using var publication = new NpgsqlCommand(publish, connection) { Parameters = { new("version", version), new("batch", context.Task.BatchId) } };
        await publication.ExecuteNonQueryAsync(ct);
    }
}
