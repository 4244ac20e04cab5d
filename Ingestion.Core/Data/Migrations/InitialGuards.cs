namespace Ingestion.Core.Data.Migrations;

/// <summary>
/// What the first migration needs beyond the model: the database's clock, the tables that only SQL touches, the rules that refuse
/// nonsense, grants and row-level security for the three roles, and search behind them.
/// </summary>
internal static class InitialGuards
{
    /// <summary>Time as the pipeline sees it. Tests move it by a setting; nothing else does.</summary>
    public const string Clock = """
        CREATE FUNCTION ingestion.clock() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT now() + coalesce(nullif(current_setting('ingestion.clock_offset', true), ''), '0')::interval
        $$;
        """;

    public const string Tables = """
        -- Event numbers, a row a batch. Nothing else is in it and its pages are nearly empty, because every settling updates it in place.
        CREATE TABLE ingestion.import_batch_seq (
            batch_id bigint PRIMARY KEY REFERENCES ingestion.import_batch (id) ON DELETE CASCADE,
            tenant_id text NOT NULL,
            seq bigint NOT NULL DEFAULT 0
        ) WITH (fillfactor = 10);

        -- One item at a time may carry the same content into a collection; the others wait and then see that it is there.
        CREATE TABLE ingestion.content_claim (
            tenant_id text NOT NULL,
            collection_id bigint NOT NULL,
            sha256 text NOT NULL,
            item_id bigint NOT NULL,
            PRIMARY KEY (tenant_id, collection_id, sha256),
            FOREIGN KEY (tenant_id, item_id) REFERENCES ingestion.import_item (tenant_id, id) ON DELETE CASCADE
        );
        CREATE INDEX content_claim_item ON ingestion.content_claim (item_id);

        -- Vectors by what was embedded, not by chunk: float32 little-endian, reused over versions, documents and retries.
        CREATE TABLE ingestion.chunk_vector (
            tenant_id text NOT NULL,
            generation_id bigint NOT NULL REFERENCES ingestion.embedding_generation (id),
            text_hash bytea NOT NULL,
            embedding bytea NOT NULL,
            PRIMARY KEY (tenant_id, generation_id, text_hash),
            CONSTRAINT whole_floats CHECK (octet_length(embedding) > 0 AND octet_length(embedding) % 4 = 0)
        );
        ALTER TABLE ingestion.chunk_vector ALTER COLUMN embedding SET STORAGE EXTERNAL;

        -- Title A, heading path B, text C.
        CREATE TABLE ingestion.chunk_fts (
            chunk_id bigint PRIMARY KEY REFERENCES ingestion.chunk (id) ON DELETE CASCADE,
            tenant_id text NOT NULL,
            collection_id bigint NOT NULL,
            document_version_id bigint NOT NULL,
            generation_id bigint NOT NULL REFERENCES ingestion.embedding_generation (id),
            tsv tsvector NOT NULL
        );
        CREATE INDEX chunk_fts_tsv ON ingestion.chunk_fts USING gin (tsv);
        CREATE INDEX chunk_fts_version ON ingestion.chunk_fts (document_version_id);

        -- One item per place in a batch; a manifest's rows are places of their own, also where another manifest names the same URL in the
        -- same row. Keys are hashed because an index entry holds no 8 kB address.
        -- convert_to is only stable, since the server's encoding might change; to UTF-8 it gives the same bytes from any.
        CREATE FUNCTION ingestion.key_hash(key text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
            SELECT sha256(convert_to(key, 'UTF8'))
        $$;
        CREATE UNIQUE INDEX import_item_place ON ingestion.import_item
            (batch_id, (coalesce(input_id, 0)), source_type, (ingestion.key_hash(source_key)), row);
        CREATE UNIQUE INDEX source_place ON ingestion.source
            (tenant_id, collection_id, source_type, connection_id, (ingestion.key_hash(source_key)));

        ALTER TABLE ingestion.import_task_run ADD CONSTRAINT fk_import_task_run_import_input
            FOREIGN KEY (tenant_id, input_id) REFERENCES ingestion.import_input (tenant_id, id) ON DELETE CASCADE;
        """;

    public const string Rules = """
        -- Facts stay facts. Pruning whole ended batches is the owner's act, under a setting of its own transaction.
        CREATE FUNCTION ingestion.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND current_setting('ingestion.prune', true) = 'on' AND pg_has_role(current_user, 'ingestion_owner', 'USAGE') THEN
                RETURN OLD;
            END IF;
            RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
        END $$;
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ingestion.import_event FOR EACH ROW EXECUTE FUNCTION ingestion.refuse_change();
        CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ingestion.import_event FOR EACH STATEMENT EXECUTE FUNCTION ingestion.refuse_change();
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ingestion.audit_entry FOR EACH ROW EXECUTE FUNCTION ingestion.refuse_change();
        CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ingestion.audit_entry FOR EACH STATEMENT EXECUTE FUNCTION ingestion.refuse_change();

        -- A final task run is history, and a fence never goes back.
        CREATE FUNCTION ingestion.guard_task_run() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND (OLD.state NOT IN ('succeeded', 'failed', 'cancelled')
                OR current_setting('ingestion.prune', true) = 'on' AND pg_has_role(current_user, 'ingestion_owner', 'USAGE')) THEN
                RETURN OLD;
            END IF;
            IF OLD.state IN ('succeeded', 'failed', 'cancelled') THEN
                RAISE EXCEPTION 'task run % is final (%) and never changes', OLD.id, OLD.state USING ERRCODE = 'restrict_violation';
            END IF;
            IF NEW.attempt < OLD.attempt THEN
                RAISE EXCEPTION 'the attempt of task run % goes back', OLD.id USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON ingestion.import_task_run FOR EACH ROW EXECUTE FUNCTION ingestion.guard_task_run();
        """;

    /// <summary>The worker bypasses row-level security (claims cross tenants, COPY is refused under it); the web role lives under it.</summary>
    public const string Access = """
        GRANT USAGE ON SCHEMA ingestion TO ingestion_worker, ingestion_web;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ingestion TO ingestion_worker;
        GRANT SELECT ON ALL TABLES IN SCHEMA ingestion TO ingestion_web;
        GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ingestion TO ingestion_worker;
        REVOKE UPDATE, DELETE ON ingestion.import_event, ingestion.audit_entry FROM ingestion_worker;
        ALTER DEFAULT PRIVILEGES IN SCHEMA ingestion GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ingestion_worker;
        ALTER DEFAULT PRIVILEGES IN SCHEMA ingestion GRANT SELECT ON TABLES TO ingestion_web;
        ALTER DEFAULT PRIVILEGES IN SCHEMA ingestion GRANT USAGE, SELECT ON SEQUENCES TO ingestion_worker;

        DO $$
        DECLARE t text;
        BEGIN
            FOR t IN SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables b USING (table_schema, table_name)
                     WHERE c.table_schema = 'ingestion' AND c.column_name = 'tenant_id' AND b.table_type = 'BASE TABLE' LOOP
                EXECUTE format('ALTER TABLE ingestion.%I ENABLE ROW LEVEL SECURITY', t);
                EXECUTE format('CREATE POLICY own_tenant ON ingestion.%I TO ingestion_web USING (tenant_id = nullif(current_setting(''ingestion.tenant'', true), ''''))', t);
            END LOOP;
        END $$;
        ALTER TABLE ingestion.tenant ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own_tenant ON ingestion.tenant TO ingestion_web USING (id = nullif(current_setting('ingestion.tenant', true), ''));
        """;

    /// <summary>
    /// Search runs as the owner, with the tenant taken from the session: under row-level security the match operator is not
    /// leakproof, so the planner would read every row instead of the index.
    /// </summary>
    public const string Search = """
        CREATE FUNCTION ingestion.published_version(version bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
            SELECT EXISTS (
                SELECT 1 FROM ingestion.publication p
                WHERE p.document_version_id = version AND p.revoked_at IS NULL
                  AND NOT EXISTS (SELECT 1 FROM ingestion.publication n WHERE n.document_id = p.document_id AND n.id > p.id AND n.revoked_at IS NULL))
        $$;

        -- Ranks what matches, best first, and only then asks what is published: nearly all of it is, so few are asked. Ranking reads every
        -- match; beyond 20,000 the question says too little for a better order to matter.
        CREATE FUNCTION ingestion.search_text(query tsquery, collection bigint, filter jsonb, hits integer)
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

        -- Any of a text's words. Words that stand in more than a fifth of all chunks tell nothing and cost most: they go, unless all are such.
        CREATE FUNCTION ingestion.any_word(words text) RETURNS tsquery
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ingestion, pg_temp AS $$
            WITH asked AS (
                SELECT u.lexeme FROM unnest(to_tsvector('simple', words)) u ORDER BY u.positions[1] LIMIT 32
            ), common AS (
                SELECT c.lexeme
                FROM pg_catalog.pg_stats s, unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) AS c (lexeme, share)
                WHERE s.schemaname = 'ingestion' AND s.tablename = 'chunk_fts' AND s.attname = 'tsv' AND c.share > 0.2
            ), telling AS (
                SELECT lexeme FROM asked WHERE lexeme NOT IN (SELECT lexeme FROM common WHERE lexeme IS NOT NULL)
            )
            SELECT string_agg('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery
            FROM (SELECT lexeme FROM telling UNION ALL SELECT lexeme FROM asked WHERE NOT EXISTS (SELECT 1 FROM telling)) w
        $$;
        REVOKE ALL ON FUNCTION ingestion.search_text, ingestion.any_word FROM PUBLIC;
        GRANT EXECUTE ON FUNCTION ingestion.search_text, ingestion.any_word TO ingestion_web, ingestion_worker;
        """;

    public const string Seed = """
        INSERT INTO ingestion.tenant (id, name) VALUES ('default', 'Default');
        INSERT INTO ingestion.collection (tenant_id, key, name, description) VALUES ('default', 'default', 'Default', 'Where documents go unless a batch says otherwise.');
        """;

    public static IEnumerable<string> All => [Clock, Tables, Rules, Access, Search, Seed];
}
