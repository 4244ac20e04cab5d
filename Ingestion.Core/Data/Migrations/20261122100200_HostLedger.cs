using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Ingestion.Core.Data.Migrations;

/// <summary>What was asked of hosts, in counters and a short ring, and who changed a host's rate. No entities but the rate's: <c>Sources/Host*</c> alone touch them.</summary>
[DbContext(typeof(IngestionDb))]
[Migration("20261122100200_HostLedger")]
public sealed class HostLedger : Migration
{
    private const string Tables = """
        ALTER TABLE ingestion.host_budget ADD COLUMN changed_at timestamptz, ADD COLUMN changed_by text;

        -- A row a tenant and host: what was asked in all, and the last few requests. Updated about once a second while it is asked.
        CREATE TABLE ingestion.host_use (
            tenant_id text NOT NULL REFERENCES ingestion.tenant (id),
            host text NOT NULL,
            first_asked_at timestamptz NOT NULL,
            last_asked_at timestamptz NOT NULL,
            requests bigint NOT NULL,
            bytes bigint NOT NULL,
            last_status integer,
            last_problem text,
            crawl_delay interval,
            crawl_delay_at timestamptz,
            recent jsonb NOT NULL DEFAULT '[]',
            PRIMARY KEY (tenant_id, host)
        ) WITH (fillfactor = 50);
        CREATE INDEX host_use_asked ON ingestion.host_use (tenant_id, last_asked_at);

        CREATE TABLE ingestion.host_minute (
            tenant_id text NOT NULL,
            host text NOT NULL,
            minute timestamptz NOT NULL,
            requests integer NOT NULL,
            bytes bigint NOT NULL,
            failed integer NOT NULL,
            PRIMARY KEY (tenant_id, host, minute),
            FOREIGN KEY (tenant_id, host) REFERENCES ingestion.host_use (tenant_id, host) ON DELETE CASCADE
        ) WITH (fillfactor = 50);
        CREATE INDEX host_minute_age ON ingestion.host_minute (minute);

        CREATE TABLE ingestion.host_wait (
            tenant_id text NOT NULL,
            host text NOT NULL,
            minute timestamptz NOT NULL,
            rule text NOT NULL,
            waits integer NOT NULL,
            waited interval NOT NULL,
            PRIMARY KEY (tenant_id, host, minute, rule),
            FOREIGN KEY (tenant_id, host) REFERENCES ingestion.host_use (tenant_id, host) ON DELETE CASCADE
        ) WITH (fillfactor = 50);
        CREATE INDEX host_wait_age ON ingestion.host_wait (minute);
        """;

    // What is asked of a host tells of documents, so whoever is narrowed to some of a tenant sees none of it.
    private const string Access = """
        DO $$
        DECLARE t text;
        BEGIN
            FOREACH t IN ARRAY ARRAY['host_use', 'host_minute', 'host_wait'] LOOP
                EXECUTE format('ALTER TABLE ingestion.%I ENABLE ROW LEVEL SECURITY', t);
                EXECUTE format('CREATE POLICY own_tenant ON ingestion.%I TO ingestion_web USING (tenant_id = nullif(current_setting(''ingestion.tenant'', true), ''''))', t);
                EXECUTE format('CREATE POLICY reach ON ingestion.%I AS RESTRICTIVE TO ingestion_web USING ((SELECT ingestion.setting(''collections'') IS NULL AND ingestion.setting(''connections'') IS NULL AND ingestion.setting(''author'') IS NULL))', t);
            END LOOP;
        END $$;
        """;

    /// <inheritdoc />
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql(Tables);
        migrationBuilder.Sql(Access);
    }

    /// <inheritdoc />
    protected override void Down(MigrationBuilder migrationBuilder) =>
        migrationBuilder.Sql("DROP TABLE ingestion.host_wait, ingestion.host_minute, ingestion.host_use; ALTER TABLE ingestion.host_budget DROP COLUMN changed_at, DROP COLUMN changed_by;");
}
