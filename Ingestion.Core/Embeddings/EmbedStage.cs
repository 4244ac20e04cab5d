using Ingestion.Core.Indexing;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Embeddings;

/// <summary>
/// Fills the vector cache for a version's chunks: only texts without a vector are asked for, and each slice is kept as it comes, so an
/// interruption loses at most one slice. Ends when every chunk has its vector.
/// </summary>
public sealed class EmbedStage(NpgsqlDataSource worker, EmbeddingModels models, EmbeddingBatcher batcher) : IStage
{
    private const int Slice = 128;

    public Stage Stage => Stage.Embed;

    public async Task<StageOutcome> RunAsync(StageContext context, CancellationToken ct)
    {
        var item = context.Item;
        var version = item.DocumentVersionId ?? throw new InvalidOperationException($"item {item.ItemId} has no version");
        var model = models.Resolve(context.Options.EmbeddingModelPreference, item.CollectionModel);
        var generation = await VectorTable.GenerationAsync(worker, model, ct);
        var total = await VectorTable.CountAsync(worker, version, ct);
        var asked = 0;
        while (true)
        {
            var missing = await VectorTable.MissingAsync(worker, item.TenantId, version, generation?.Id, Slice, ct);
            if (missing.Count == 0 && generation is not null) break;
            // A generation without a row is one whose dimensions only an answer tells; a version always has chunks.
            var vectors = await batcher.EmbedAsync(model, [.. missing.Select(m => m.Text)], ct);
            generation ??= await VectorTable.CreateGenerationAsync(worker, model, vectors[0].Length, ct);
            Require(model, generation.Dimensions, vectors);
            FaultPoints.Reach(FaultPoints.BeforeVectors);
            await VectorTable.StoreAsync(worker, item.TenantId, generation.Id, [.. missing.Select(m => m.Hash)], vectors, ct);
            asked += missing.Count;
            await context.ReportAsync(ItemStep.Embedding, Math.Min(asked, total), total, $"Generating embeddings: {Math.Min(asked, total)} / {total}", ct);
        }
        FaultPoints.Reach(FaultPoints.AfterVectors);
        var kept = generation.Id;
        return new StageOutcome.Done((connection, token) => KeepAsync(connection, item, model, kept, token),
            System.Text.Json.JsonSerializer.Serialize(new { model = model.Id, computed = asked, chunks = total })) { IsLight = true };
    }

    private static async Task KeepAsync(NpgsqlConnection connection, WorkItem item, EmbeddingModel model, long generation, CancellationToken ct)
    {
        // The first document decides the model of a collection that has none.
        const string sql = """
            WITH c AS (UPDATE ingestion.collection SET embedding_model = @model WHERE id = @collection AND tenant_id = @tenant AND embedding_model IS NULL)
            UPDATE ingestion.import_item SET generation_id = @generation WHERE id = @item
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("model", model.Id), new("collection", item.CollectionId), new("tenant", item.TenantId), new("generation", generation), new("item", item.ItemId) },
        };
        await command.ExecuteNonQueryAsync(ct);
    }

    private static void Require(EmbeddingModel model, int dimensions, IReadOnlyList<float[]> vectors)
    {
        if (vectors.Any(v => v.Length != dimensions))
            throw new IngestionException(ErrorCodes.EmbeddingRefused, $"The model {model.Id} now answers with another number of dimensions than the {dimensions} it began with.");
    }
}
