namespace Ingestion.Core.Pipeline.Verify;

/// <summary>I2: nothing is there twice, everything published can be found, and nothing belongs to nothing.</summary>
internal static class ContentChecks
{
    public static IReadOnlyList<Check> All { get; } =
    [
        new("I2", "chunk_ordinal_is_unique", """
            SELECT 'version ' || document_version_id AS subject, format('Version %s has %s chunks with the number %s.', document_version_id, count(*), ordinal) AS sentence
            FROM ingestion.chunk GROUP BY document_version_id, ordinal HAVING count(*) > 1
            """),
        new("I2", "source_content_is_unique", """
            SELECT 'source ' || source_id AS subject, format('Source %s has %s versions with the same content %s.', source_id, count(*), left(sha256, 12)) AS sentence
            FROM ingestion.source_version GROUP BY source_id, sha256 HAVING count(*) > 1
            """),
        new("I2", "source_is_unique", """
            SELECT 'source ' || min(id) AS subject, format('The place %s is %s sources of collection %s.', left(source_key, 200), count(*), collection_id) AS sentence
            FROM ingestion.source GROUP BY tenant_id, collection_id, source_type, connection_id, source_key HAVING count(*) > 1
            """),
        new("I2", "version_has_its_chunks", """
            SELECT 'version ' || v.id AS subject, format('Version %s of document %s has %s chunks instead of %s.', v.id, v.document_id, count(c.id), v.chunk_count) AS sentence
            FROM ingestion.document_version v
            LEFT JOIN ingestion.chunk c ON c.document_version_id = v.id
            GROUP BY v.id
            HAVING count(c.id) <> v.chunk_count OR v.chunk_count = 0 OR min(c.ordinal) <> 0 OR max(c.ordinal) <> count(*) - 1
            """),
        new("I2", "published_chunk_has_words", $"""
            SELECT 'chunk ' || c.id AS subject, format('Chunk %s of the published version %s has no full-text row.', c.id, c.document_version_id) AS sentence
            FROM ingestion.chunk c
            WHERE c.document_version_id IN (SELECT p.document_version_id FROM ({PublishedNow}) p) AND NOT EXISTS (SELECT FROM ingestion.chunk_fts f WHERE f.chunk_id = c.id)
            """),
        new("I2", "published_chunk_has_vector", $"""
            SELECT 'chunk ' || c.id AS subject, format('Chunk %s of the published version %s has no vector of generation %s.', c.id, c.document_version_id, f.generation_id) AS sentence
            FROM ingestion.chunk c
            JOIN ingestion.chunk_fts f ON f.chunk_id = c.id
            WHERE c.document_version_id IN (SELECT p.document_version_id FROM ({PublishedNow}) p)
              AND NOT EXISTS (SELECT FROM ingestion.chunk_vector v WHERE v.tenant_id = c.tenant_id AND v.generation_id = f.generation_id AND v.text_hash = c.text_hash)
            """),
        new("I2", "vector_has_its_dimensions", """
            SELECT 'generation ' || g.id AS subject, format('%s vectors of generation %s do not have its %s dimensions.', count(*), g.id, g.dimensions) AS sentence
            FROM ingestion.chunk_vector v
            JOIN ingestion.embedding_generation g ON g.id = v.generation_id
            WHERE octet_length(v.embedding) <> 4 * g.dimensions
            GROUP BY g.id
            """),
        new("I2", "done_item_was_published", """
            SELECT 'item ' || i.id AS subject, format('Item %s of batch %s is done, but its version %s was never published.', i.id, i.batch_id, coalesce(i.document_version_id::text, '(none)')) AS sentence
            FROM ingestion.import_item i
            WHERE i.state = 'done'
              AND NOT EXISTS (SELECT FROM ingestion.publication p WHERE p.document_version_id = i.document_version_id)
            """),
        new("I2", "chunk_belongs_to_a_version", """
            SELECT 'chunk ' || c.id AS subject, format('Chunk %s belongs to version %s, which does not exist.', c.id, c.document_version_id) AS sentence
            FROM ingestion.chunk c WHERE NOT EXISTS (SELECT FROM ingestion.document_version v WHERE v.id = c.document_version_id)
            """),
        new("I2", "words_belong_to_a_chunk", """
            SELECT 'chunk ' || f.chunk_id AS subject, format('The full-text row of chunk %s belongs to no chunk of version %s.', f.chunk_id, f.document_version_id) AS sentence
            FROM ingestion.chunk_fts f
            WHERE NOT EXISTS (SELECT FROM ingestion.chunk c WHERE c.id = f.chunk_id AND c.document_version_id = f.document_version_id AND c.tenant_id = f.tenant_id)
            """),
        new("I2", "vector_belongs_to_a_chunk", """
            SELECT 'generation ' || v.generation_id AS subject, format('A vector of tenant %s (text %s) belongs to no chunk.', v.tenant_id, left(encode(v.text_hash, 'hex'), 12)) AS sentence
            FROM ingestion.chunk_vector v
            WHERE NOT EXISTS (SELECT FROM ingestion.chunk c WHERE c.tenant_id = v.tenant_id AND c.text_hash = v.text_hash)
            """),
        new("I2", "artifact_belongs_to_a_version", """
            SELECT 'artifact ' || a.id AS subject, format('The live artifact %s (%s) is named by no version.', a.id, a.kind) AS sentence
            FROM ingestion.artifact a
            WHERE a.live
              AND NOT EXISTS (SELECT FROM ingestion.source_version v WHERE v.tenant_id = a.tenant_id AND v.raw_uri = a.uri)
              AND NOT EXISTS (SELECT FROM ingestion.document_version v WHERE v.tenant_id = a.tenant_id AND a.uri IN (v.markdown_uri, v.record_uri))
            """),
        new("I2", "version_has_live_artifacts", """
            SELECT x.subject, format('%s names the artifact %s, which is not live.', x.subject, x.uri) AS sentence
            FROM (
                SELECT 'source version ' || id AS subject, raw_uri AS uri FROM ingestion.source_version
                UNION ALL SELECT 'version ' || id, markdown_uri FROM ingestion.document_version
                UNION ALL SELECT 'version ' || id, record_uri FROM ingestion.document_version
            ) x
            WHERE NOT EXISTS (SELECT FROM ingestion.artifact a WHERE a.uri = x.uri AND a.live)
            """),
        new("I2", Claims, """
            SELECT 'item ' || c.item_id AS subject, format('Item %s still claims its content, but it is %s.', c.item_id, coalesce(i.state, 'gone')) AS sentence
            FROM ingestion.content_claim c
            LEFT JOIN ingestion.import_item i ON i.id = c.item_id
            WHERE i.state IS DISTINCT FROM 'open'
            """),
    ];

    public const string Claims = "content_is_claimed_by_open_items";

    /// <summary>What readers see: the newest unrevoked publication of each document.</summary>
    internal const string PublishedNow = "SELECT DISTINCT ON (document_id) document_id, document_version_id, published_at FROM ingestion.publication WHERE revoked_at IS NULL ORDER BY document_id, id DESC";
}
