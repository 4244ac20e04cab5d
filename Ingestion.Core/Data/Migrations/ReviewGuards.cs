namespace Ingestion.Core.Data.Migrations;

/// <summary>
/// What reviews need beyond the model: row-level security with the reach of batches and collections, decisions that never change, and jobs for
/// the two stages in the batches that there are.
/// </summary>
internal static class ReviewGuards
{
    public const string Access = """
        DO $$
        DECLARE t text;
        BEGIN
            FOREACH t IN ARRAY ARRAY['reference_list', 'reference_version', 'reference_entity', 'record_type', 'item_record', 'review_item', 'review_decision', 'review_bulk'] LOOP
                EXECUTE format('ALTER TABLE ingestion.%I ENABLE ROW LEVEL SECURITY', t);
                EXECUTE format('CREATE POLICY own_tenant ON ingestion.%I TO ingestion_web USING (tenant_id = nullif(current_setting(''ingestion.tenant'', true), ''''))', t);
            END LOOP;
            FOREACH t IN ARRAY ARRAY['item_record', 'review_item', 'review_decision'] LOOP
                EXECUTE format($p$CREATE POLICY reach ON ingestion.%I AS RESTRICTIVE TO ingestion_web
                    USING ((SELECT ingestion.setting('collections') IS NULL AND ingestion.setting('author') IS NULL) OR batch_id IN (SELECT b.id FROM ingestion.import_batch b))$p$, t);
            END LOOP;
            FOREACH t IN ARRAY ARRAY['reference_list', 'record_type'] LOOP
                EXECUTE format($p$CREATE POLICY reach ON ingestion.%I AS RESTRICTIVE TO ingestion_web
                    USING ((SELECT ingestion.setting('collections') IS NULL) OR collection_id = ANY ((SELECT ingestion.setting('collections')::bigint[])::bigint[]))$p$, t);
            END LOOP;
            FOREACH t IN ARRAY ARRAY['reference_version', 'reference_entity'] LOOP
                EXECUTE format($p$CREATE POLICY reach ON ingestion.%I AS RESTRICTIVE TO ingestion_web
                    USING ((SELECT ingestion.setting('collections') IS NULL) OR list_id IN (SELECT l.id FROM ingestion.reference_list l))$p$, t);
            END LOOP;
        END $$;
        CREATE POLICY reach ON ingestion.review_bulk AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('collections') IS NULL AND ingestion.setting('author') IS NULL) OR created_by = (SELECT ingestion.setting('member')));
        """;

    // A decision is a fact as an event is; it goes only with its batch, whose reviews cascade.
    public const string Rules = """
        CREATE FUNCTION ingestion.refuse_change_of_decision() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'decisions are append-only: % refused', TG_OP USING ERRCODE = 'restrict_violation';
        END $$;
        CREATE TRIGGER append_only BEFORE UPDATE ON ingestion.review_decision FOR EACH ROW EXECUTE FUNCTION ingestion.refuse_change_of_decision();
        CREATE TRIGGER never_truncated BEFORE TRUNCATE ON ingestion.review_decision FOR EACH STATEMENT EXECUTE FUNCTION ingestion.refuse_change_of_decision();
        REVOKE UPDATE ON ingestion.review_decision FROM ingestion_worker;
        """;

    public const string Jobs = """
        INSERT INTO ingestion.import_job (tenant_id, batch_id, stage, active, served_at, turn_shift, max_workers, small)
        SELECT j.tenant_id, j.batch_id, s, j.active, j.served_at, j.turn_shift, j.max_workers, j.small
        FROM ingestion.import_job j CROSS JOIN unnest(ARRAY['resolve', 'review']) s
        WHERE j.stage = 'parse'
        ON CONFLICT DO NOTHING;
        """;

    public const string Remove = "DROP FUNCTION ingestion.refuse_change_of_decision CASCADE;";

    public static IEnumerable<string> All => [Access, Rules, Jobs];
}
