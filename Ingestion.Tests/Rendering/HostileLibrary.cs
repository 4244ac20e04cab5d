using System.Text.Json;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Ingestion.Tests.Rendering;

/// <summary>Rows that carry every hostile text in every place that strangers can fill.</summary>
/// <param name="host">Where the texts try to lead a browser; a test may listen there.</param>
internal sealed class HostileLibrary(IServiceProvider services, string host = HostileLibrary.Elsewhere)
{
    private const string Elsewhere = "evil.example";
    private readonly Database _database = services.GetRequiredService<Database>();

    /// <summary>Each text for itself. The database takes no U+0000.</summary>
    public IReadOnlyList<string> Texts { get; } = [.. HostileText.All.Select(t => t.Replace("\0", "", StringComparison.Ordinal).Replace(Elsewhere, host, StringComparison.Ordinal))];

    /// <summary>All of them, a paragraph each.</summary>
    public string Document => string.Join("\n\n", Texts);

    /// <summary>All of them on one line.</summary>
    public string OneLine => string.Join(' ', Texts.Select(t => t.ReplaceLineEndings(" ")));

    /// <summary>Names and values for a document's metadata, as JSON.</summary>
    public string Metadata => JsonSerializer.Serialize(Texts.Take(30).Select((t, i) => (t, i)).ToDictionary(x => $"{x.i}{x.t}", x => x.t));

    /// <summary>A failed item and a published document; the collection <c>hostile</c> beside them.</summary>
    public async Task<(string Batch, long Item, Seeded Of)> ItemAsync()
    {
        var (make, seed) = (new Make(_database.Worker), new LibrarySeed(_database));
        var of = await seed.DocumentAsync(OneLine[..500], [Document], metadata: Metadata, source: "javascript:alert(1)//" + Guid.NewGuid(), heading: OneLine[..400]);
        var store = services.GetRequiredService<IArtifactStore>();
        var uri = await store.PutAsync($"default/hostile/{of.Version}.bin", new MemoryStream(System.Text.Encoding.UTF8.GetBytes(Document)), CancellationToken.None);
        await seed.RunAsync("UPDATE ingestion.document_version SET markdown_uri = $1, notes = jsonb_build_array($2::text) WHERE id = $3", uri.AbsoluteUri, OneLine, of.Version);
        await seed.RunAsync("UPDATE ingestion.source_version SET raw_uri = $1 WHERE source_id = $2", uri.AbsoluteUri, of.Source);
        for (var i = 0; i < Texts.Count; i++)
            await seed.RunAsync("INSERT INTO ingestion.document_link (document_version_id, ordinal, tenant_id, target, text) VALUES ($1, $2, 'default', $3, $3)", of.Version, i, Texts[i]);
        await seed.RunAsync("INSERT INTO ingestion.collection (tenant_id, key, name, description) VALUES ('default', 'hostile', $1, $1) ON CONFLICT DO NOTHING", OneLine[..180]);

        var batch = await make.Batch(BatchState.Failed);
        var task = await make.Task(batch, TaskState.Failed, Stage.Parse);
        await seed.RunAsync("""
            UPDATE ingestion.import_item SET state = 'failed', step = 'finished', completed_at = now(), name = $2, source_key = $2, error_code = 'corrupt', error_message = $2,
                error_details = jsonb_build_object($2::text, $2::text), metadata = $3::jsonb, document_version_id = $4, chunk_count = 1
            WHERE id = $1
            """, task.ItemId!.Value, OneLine, Metadata, of.Version);
        await seed.RunAsync("UPDATE ingestion.import_batch SET name = $2 WHERE id = $1", batch, OneLine[..180]);
        await seed.RunAsync("""
            INSERT INTO ingestion.import_event (batch_id, seq, tenant_id, kind, item_id, stage, data)
            VALUES ($1, 2, 'default', 'item_failed', $2, 'parse', jsonb_build_object('message', $3::text, 'attempt', 1))
            """, batch, task.ItemId.Value, OneLine);
        return ((await _database.Worker.QueryAsync<string>("SELECT public_id FROM ingestion.import_batch WHERE id = $1", batch)).Single(), task.ItemId.Value, of);
    }
}
