namespace Ingestion.Core.Data.Migrations;

/// <summary>Row-level security of webhooks, and the triggers that write deliveries in the transaction that makes an event.</summary>
internal static class WebhookGuards
{
    public const string Rights = """
        DO $$
        DECLARE t text;
        BEGIN
            FOREACH t IN ARRAY ARRAY['webhook_endpoint', 'webhook_delivery', 'webhook_attempt'] LOOP
                EXECUTE format('ALTER TABLE ingestion.%I ENABLE ROW LEVEL SECURITY', t);
                EXECUTE format('CREATE POLICY own_tenant ON ingestion.%I TO ingestion_web USING (tenant_id = nullif(current_setting(''ingestion.tenant'', true), ''''))', t);
            END LOOP;
        END $$;
        CREATE POLICY reach ON ingestion.webhook_delivery AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('collections') IS NULL AND ingestion.setting('author') IS NULL) OR batch_id IS NULL OR batch_id IN (SELECT b.id FROM ingestion.import_batch b));
        CREATE POLICY reach ON ingestion.webhook_endpoint AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('collections') IS NULL AND ingestion.setting('author') IS NULL) OR batch_id IS NULL OR batch_id IN (SELECT b.id FROM ingestion.import_batch b));
        CREATE POLICY reach ON ingestion.webhook_attempt AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('collections') IS NULL AND ingestion.setting('author') IS NULL) OR delivery_id IN (SELECT d.id FROM ingestion.webhook_delivery d));
        """;

    /// <summary>
    /// Deliveries of one event of a batch, one for each endpoint that wants to hear of it; those that are there already stay. Each costs a
    /// look at the tenant's endpoints: nothing where it has none.
    /// </summary>
    public const string Announce = """
        CREATE FUNCTION ingestion.announce(batch ingestion.import_batch, what text, run integer, data jsonb) RETURNS void
        LANGUAGE sql SET search_path = ingestion, pg_temp AS $$
            INSERT INTO webhook_delivery (tenant_id, public_id, endpoint_id, batch_id, event, run, payload, state, attempt, failures, next_at, created_at)
            SELECT w.tenant_id,
                   -- In the alphabet of all our ids. The condition on the endpoint makes a new one for each of them.
                   'msg_' || (SELECT string_agg(substr('abcdefghijklmnopqrstuvwxyz234567', (get_byte(r.bytes, i) & 31) + 1, 1), '') FROM (SELECT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex') AS bytes) r, generate_series(16, 31) i WHERE w.id IS NOT NULL),
                   w.id, (batch).id, what, run,
                   jsonb_build_object('type', what, 'timestamp', to_char(clock() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'data', data)::text,
                   'pending', 0, 0, clock(), clock()
            FROM webhook_endpoint w
            WHERE w.tenant_id = (batch).tenant_id AND w.disabled_at IS NULL AND what = ANY (w.events) AND (w.batch_id IS NULL OR w.batch_id = (batch).id)
            ORDER BY w.id
            ON CONFLICT (endpoint_id, batch_id, event, run) DO NOTHING
        $$;

        CREATE FUNCTION ingestion.announced(batch ingestion.import_batch, run integer) RETURNS jsonb
        LANGUAGE sql STABLE SET search_path = ingestion, pg_temp AS $$
            SELECT jsonb_build_object('job_id', (batch).public_id, 'name', (batch).name, 'run', run, 'status', (batch).state)
        $$;
        """;

    public const string Ends = """
        CREATE FUNCTION ingestion.count_ending() RETURNS trigger LANGUAGE plpgsql SET search_path = ingestion, pg_temp AS $$
        BEGIN
            NEW.endings := OLD.endings + 1;
            RETURN NEW;
        END $$;
        CREATE TRIGGER count_ending BEFORE UPDATE OF state ON ingestion.import_batch
            FOR EACH ROW WHEN (NEW.state IN ('completed', 'failed', 'cancelled') AND OLD.state NOT IN ('completed', 'failed', 'cancelled'))
            EXECUTE FUNCTION ingestion.count_ending();

        -- A batch that ends has downloaded all it will, whether or not anybody has said so before.
        CREATE FUNCTION ingestion.announce_ending() RETURNS trigger LANGUAGE plpgsql SET search_path = ingestion, pg_temp AS $$
        DECLARE facts jsonb;
        BEGIN
            IF NOT EXISTS (SELECT FROM webhook_endpoint w WHERE w.tenant_id = NEW.tenant_id AND w.disabled_at IS NULL AND (w.batch_id IS NULL OR w.batch_id = NEW.id)) THEN
                RETURN NULL;
            END IF;
            facts := announced(NEW, NEW.endings) || jsonb_build_object(
                'message', NEW.message, 'counts', jsonb_build_object(
                    'total', NEW.final_counts -> 'Total', 'done', NEW.final_counts -> 'Done', 'skipped', NEW.final_counts -> 'Skipped', 'failed', NEW.final_counts -> 'Failed',
                    'rejected', NEW.final_counts -> 'Rejected', 'cancelled', NEW.final_counts -> 'Cancelled', 'awaiting_review', NEW.final_counts -> 'AwaitingReview'),
                'completed_at', to_char(NEW.completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));
            IF NEW.state <> 'cancelled' THEN
                PERFORM announce(NEW, 'download.complete', NEW.endings, announced(NEW, NEW.endings));
                PERFORM announce(NEW, 'ingestion.complete', NEW.endings, facts);
            END IF;
            PERFORM announce(NEW, 'job.done', NEW.endings, facts);
            RETURN NULL;
        END $$;
        CREATE TRIGGER announce_ending AFTER UPDATE OF state ON ingestion.import_batch
            FOR EACH ROW WHEN (NEW.state IN ('completed', 'failed', 'cancelled') AND OLD.state NOT IN ('completed', 'failed', 'cancelled'))
            EXECUTE FUNCTION ingestion.announce_ending();
        """;

    public static IEnumerable<string> All => [Rights, Announce, Ends];
}
