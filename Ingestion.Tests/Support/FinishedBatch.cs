using System.Text;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Indexing;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Verify;
using Ingestion.Core.Sources;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Ingestion.Tests.Support;

/// <summary>
/// A batch that took every way to its end: pasted addresses, an upload and a manifest's row, one item failed after a retry; the others
/// are published, with chunks, vectors, words and files. Nothing in it is wrong.
/// </summary>
internal sealed class FinishedBatch
{
    private readonly Spine _spine;
    private readonly NpgsqlDataSource _worker;
    private readonly ArtifactWriter _artifacts;

    private FinishedBatch(Spine spine, string folder)
    {
        _spine = spine;
        _worker = spine.Database.Worker;
        Store = new FolderStore(Options.Create(new ArtifactOptions { Folder = Path.Combine(folder, "artifacts") }));
        Uploads = new(Path.Combine(folder, "uploads"));
        _artifacts = new(_worker, Store);
        Names = new(_worker, Store);
        Verification = new(_worker, Store, Uploads, new(_worker, Store, spine.Duties, Names), spine.Options);
    }

    public FolderStore Store { get; }

    public UploadFiles Uploads { get; }

    public PublishedNames Names { get; }

    public Verification Verification { get; }

    /// <param name="folder">Where files go: the store and the uploads each in a folder of it.</param>
    public static async Task<FinishedBatch> CreateAsync(Spine spine, string folder)
    {
        var made = new FinishedBatch(spine, folder);
        await made.UploadAsync("up_file", "file", "a.txt", "words");
        await made.UploadAsync("up_list", "manifest", "list.csv", "url\nhttps://example.org/row\n");
        await made.RunAsync();
        return made;
    }

    private async Task RunAsync()
    {
        await _spine.Submission.SubmitAsync(Make.Actor, new("Finished")
        {
            Urls = [new("https://example.org/good"), new("https://example.org/bad")], Uploads = ["up_file"], Manifests = [new("up_list", "url")],
        }, null, CancellationToken.None);
        var listing = (await _spine.ClaimAsync(Stage.Discover)).Single();
        await new StageContext(listing, new(new(), null, null), _worker, _spine.Hints, TimeProvider.System).CheckpointAsync(
            (connection, ct) => LaunchItems.FromListingAsync(connection, new(listing.InputId!.Value, listing.BatchId, "default", "manifest", null, "{}", null),
                [new("https://example.org/row", 1, "row", new Dictionary<string, string>())], "1", ct),
            [new("items_discovered", TaskId: listing.Id, Data: """{"count":1}""")], CancellationToken.None);
        await _spine.DoneAsync(listing);

        var bad = (await _worker.QueryAsync<long>("SELECT id FROM ingestion.import_item WHERE source_key LIKE '%bad'")).Single();
        var versions = new List<long>();
        foreach (var stage in new[] { Stage.Acquire, Stage.Acquire, Stage.Parse, Stage.Embed, Stage.Index })
        {
            foreach (var task in await _spine.ClaimAsync(stage))
            {
                if (task.ItemId == bad)
                {
                    await _spine.FailAsync(task, ErrorCodes.NetworkError, maxRetries: 1);
                    await _worker.QueryAsync<object>("UPDATE ingestion.import_task_run SET scheduled_at = now() WHERE state = 'ready'");
                }
                else
                {
                    await _spine.DoneAsync(task, stage == Stage.Index ? await PublishAsync(task.ItemId!.Value, versions) : null);
                }
            }
        }
        foreach (var version in versions) await Names.ExportAsync(version, CancellationToken.None);
    }

    private async Task UploadAsync(string id, string purpose, string path, string content)
    {
        await File.WriteAllTextAsync(Uploads.PathOf(id), content);
        await _worker.QueryAsync<object>("""
            INSERT INTO ingestion.upload (tenant_id, public_id, purpose, path, size, received, sha256, metadata, created_by, completed_at)
            VALUES ('default', $1, $2, $3, $4, $4, repeat('a', 64), '{}', 'test', now())
            """, id, purpose, path, (long)content.Length);
    }

    // All of a document's rows at once: for what is verified it does not matter which stage wrote them.
    private async Task<SaveOutput> PublishAsync(long item, List<long> versions)
    {
        var id = (await _worker.QueryAsync<long>("SELECT nextval(pg_get_serial_sequence('ingestion.document_version', 'id'))")).Single();
        versions.Add(id);
        var source = (await _worker.QueryAsync<long>("""
            INSERT INTO ingestion.source (tenant_id, collection_id, source_type, connection_id, source_key)
            SELECT i.tenant_id, b.collection_id, i.source_type, '', i.source_key FROM ingestion.import_item i JOIN ingestion.import_batch b ON b.id = i.batch_id WHERE i.id = $1 RETURNING id
            """, item)).Single();
        var (s, v) = (SourceVersions.Key(source), SourceVersions.Key(id));
        var raw = await WriteAsync("raw", ArtifactKeys.Raw("default", s, v), $"raw {id}");
        var markdown = await WriteAsync("markdown", ArtifactKeys.VersionMarkdown("default", s, v, v), $"# {id}");
        var record = await WriteAsync("record", ArtifactKeys.VersionRecord("default", s, v, v), $$"""{"version":{{id}}}""");
        const string rows = """
            WITH sv AS (
                INSERT INTO ingestion.source_version (id, tenant_id, source_id, sha256, length, raw_uri) OVERRIDING SYSTEM VALUE VALUES (@id, 'default', @source, @sha, @length, @raw)
            ), d AS (
                INSERT INTO ingestion.document (tenant_id, collection_id, source_id) SELECT 'default', collection_id, id FROM ingestion.source WHERE id = @source RETURNING id, collection_id
            ), dv AS (
                INSERT INTO ingestion.document_version
                    (id, tenant_id, document_id, source_version_id, options_hash, title, format, parser_version, characters, chunk_count, notes, metadata, markdown_uri, record_uri)
                OVERRIDING SYSTEM VALUE SELECT @id, 'default', d.id, @id, 'o', 't', 'md', 1, 2, 2, '[]', '{}', @markdown, @record FROM d RETURNING id
            ), g AS (
                INSERT INTO ingestion.embedding_generation (model, dimensions, version) VALUES ('test', 2, 1) ON CONFLICT (model, dimensions, version) DO UPDATE SET model = 'test' RETURNING id
            ), c AS (
                INSERT INTO ingestion.chunk (tenant_id, document_version_id, ordinal, heading_path, text, text_hash)
                SELECT 'default', dv.id, n, '', 'chunk ' || n, sha256(convert_to(dv.id || '/' || n, 'UTF8')) FROM dv, generate_series(0, 1) n RETURNING id, text_hash
            ), vec AS (
                INSERT INTO ingestion.chunk_vector (tenant_id, generation_id, text_hash, embedding) SELECT 'default', g.id, c.text_hash, '\x0000803f00000000' FROM c, g
            ), fts AS (
                INSERT INTO ingestion.chunk_fts (chunk_id, tenant_id, collection_id, document_version_id, generation_id, tsv)
                SELECT c.id, 'default', d.collection_id, @id, g.id, to_tsvector('simple', 'chunk') FROM c, d, g
            ), p AS (
                INSERT INTO ingestion.publication (tenant_id, document_id, document_version_id, batch_id) SELECT 'default', d.id, dv.id, i.batch_id FROM d, dv, ingestion.import_item i WHERE i.id = @item
            )
            UPDATE ingestion.import_item SET source_version_id = @id, document_version_id = @id, size = @length, chunk_count = 2, generation_id = (SELECT id FROM g) WHERE id = @item
            """;
        return async (connection, ct) =>
        {
            await using var command = new NpgsqlCommand(rows, connection)
            {
                Parameters =
                {
                    new("id", id), new("source", source), new("sha", raw.Sha256), new("length", raw.Length), new("raw", raw.Uri.AbsoluteUri),
                    new("markdown", markdown.Uri.AbsoluteUri), new("record", record.Uri.AbsoluteUri), new("item", item),
                },
            };
            await command.ExecuteNonQueryAsync(ct);
            foreach (var artifact in new[] { raw, markdown, record }) await ArtifactWriter.MakeLiveAsync(connection, artifact, ct);
        };
    }

    private Task<WrittenArtifact> WriteAsync(string kind, string key, string content) =>
        _artifacts.WriteAsync("default", kind, key, new MemoryStream(Encoding.UTF8.GetBytes(content)), CancellationToken.None);
}
