namespace Ingestion.Core.Data.Migrations;

/// <summary>
/// What access needs beyond the model: who reads which table, rows of one's own tenant, and how much of the tenant a member reaches.
/// </summary>
internal static class AccessGuards
{
    /// <summary>Counters may be lost in a crash; they are of the last minutes.</summary>
    public const string Tables = """
        CREATE UNLOGGED TABLE ingestion.rate_count (
            counter text NOT NULL,
            minute bigint NOT NULL,
            taken bigint NOT NULL,
            PRIMARY KEY (counter, minute)
        ) WITH (fillfactor = 50);
        CREATE INDEX rate_count_minute ON ingestion.rate_count (minute);
        """;

    /// <summary>What belongs to the installation is not the web role's business; what belongs to a tenant is seen by that tenant.</summary>
    public const string Rights = """
        REVOKE ALL ON ingestion.account, ingestion.account_passkey, ingestion.user_session, ingestion.protection_key, ingestion.rate_count FROM ingestion_web;
        DO $$
        DECLARE t text;
        BEGIN
            FOREACH t IN ARRAY ARRAY['membership', 'invitation', 'api_key', 'secret'] LOOP
                EXECUTE format('ALTER TABLE ingestion.%I ENABLE ROW LEVEL SECURITY', t);
                EXECUTE format('CREATE POLICY own_tenant ON ingestion.%I TO ingestion_web USING (tenant_id = nullif(current_setting(''ingestion.tenant'', true), ''''))', t);
            END LOOP;
        END $$;
        """;

    /// <summary>
    /// How much of its tenant a session reaches. Restrictive, so that it comes on top of the tenant's own rows; an empty setting reaches
    /// everything, and the sub-select asks once a statement, not once a row. Batches decide over what is theirs, documents over what is theirs.
    /// </summary>
    public const string Reach = """
        CREATE FUNCTION ingestion.setting(name text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT nullif(current_setting('ingestion.' || name, true), '')
        $$;

        CREATE POLICY reach ON ingestion.collection AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('collections') IS NULL) OR id = ANY ((SELECT ingestion.setting('collections')::bigint[])::bigint[]));
        CREATE POLICY reach ON ingestion.import_batch AS RESTRICTIVE TO ingestion_web
            USING (((SELECT ingestion.setting('collections') IS NULL) OR collection_id = ANY ((SELECT ingestion.setting('collections')::bigint[])::bigint[]))
               AND ((SELECT ingestion.setting('author') IS NULL) OR created_by = (SELECT ingestion.setting('author'))));
        CREATE POLICY reach ON ingestion.source AS RESTRICTIVE TO ingestion_web
            USING (((SELECT ingestion.setting('collections') IS NULL) OR collection_id = ANY ((SELECT ingestion.setting('collections')::bigint[])::bigint[]))
               AND ((SELECT ingestion.setting('connections') IS NULL) OR connection_id = '' OR connection_id = ANY ((SELECT ingestion.setting('connections')::text[])::text[])));

        DO $$
        DECLARE t text;
        BEGIN
            FOREACH t IN ARRAY ARRAY['import_batch_seq', 'import_input', 'import_item', 'import_job', 'import_task_run', 'import_event', 'idempotency_key'] LOOP
                EXECUTE format($p$CREATE POLICY reach ON ingestion.%I AS RESTRICTIVE TO ingestion_web
                    USING ((SELECT ingestion.setting('collections') IS NULL AND ingestion.setting('author') IS NULL) OR batch_id IN (SELECT b.id FROM ingestion.import_batch b))$p$, t);
            END LOOP;
        END $$;
        CREATE POLICY reach ON ingestion.upload AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('collections') IS NULL AND ingestion.setting('author') IS NULL)
                OR created_by = (SELECT ingestion.setting('member')) OR batch_id IN (SELECT b.id FROM ingestion.import_batch b));

        CREATE POLICY reach ON ingestion.chunk_fts AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('collections') IS NULL) OR collection_id = ANY ((SELECT ingestion.setting('collections')::bigint[])::bigint[]));
        CREATE POLICY reach ON ingestion.document AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('collections') IS NULL AND ingestion.setting('connections') IS NULL) OR source_id IN (SELECT s.id FROM ingestion.source s));
        CREATE POLICY reach ON ingestion.source_version AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('collections') IS NULL AND ingestion.setting('connections') IS NULL) OR source_id IN (SELECT s.id FROM ingestion.source s));
        CREATE POLICY reach ON ingestion.document_version AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('collections') IS NULL AND ingestion.setting('connections') IS NULL) OR document_id IN (SELECT d.id FROM ingestion.document d));
        CREATE POLICY reach ON ingestion.publication AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('collections') IS NULL AND ingestion.setting('connections') IS NULL) OR document_id IN (SELECT d.id FROM ingestion.document d));
        CREATE POLICY reach ON ingestion.chunk AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('collections') IS NULL AND ingestion.setting('connections') IS NULL) OR document_version_id IN (SELECT v.id FROM ingestion.document_version v));
        CREATE POLICY reach ON ingestion.document_link AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('collections') IS NULL AND ingestion.setting('connections') IS NULL) OR document_version_id IN (SELECT v.id FROM ingestion.document_version v));
        """;

    /// <summary>Search as it was, within the collections in reach: what is out of reach must not take the places of what is not.</summary>
    public const string Search = """
        -- Ranks what matches, best first, and only then asks what is published: nearly all of it is, so few are asked. Ranking reads every
        -- match; beyond 20,000 the question says too little for a better order to matter.
        CREATE OR REPLACE FUNCTION ingestion.search_text(query tsquery, collection bigint, filter jsonb, hits integer)
        RETURNS TABLE (chunk_id bigint, score real)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ingestion, pg_temp AS $$
            SELECT r.chunk_id, r.score
            FROM (
                SELECT m.chunk_id, m.document_version_id,
                       ts_rank_cd('{0.05, 0.2, 0.5, 1.0}', m.tsv, query, 33) + ts_rank('{0.05, 0.2, 0.5, 1.0}', m.tsv, query, 33) AS score
                FROM (
                    SELECT f.chunk_id, f.document_version_id, f.tsv
                    FROM chunk_fts f
                    WHERE f.tsv @@ query
                      AND f.tenant_id = nullif(current_setting('ingestion.tenant', true), '')
                      AND (collection IS NULL OR f.collection_id = collection)
                      AND (ingestion.setting('collections') IS NULL OR f.collection_id = ANY (ingestion.setting('collections')::bigint[]))
                      AND (filter IS NULL OR EXISTS (SELECT 1 FROM document_version v WHERE v.id = f.document_version_id AND v.metadata @> filter))
                    LIMIT 20000
                ) m
                ORDER BY score DESC, m.chunk_id
                OFFSET 0
            ) r
            WHERE published_version(r.document_version_id)
            ORDER BY r.score DESC, r.chunk_id
            LIMIT hits
        $$;
        """;

    public static IEnumerable<string> All => [Tables, Rights, Reach, Search];
}
