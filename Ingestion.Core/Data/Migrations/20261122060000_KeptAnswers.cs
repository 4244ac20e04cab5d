using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Ingestion.Core.Data.Migrations;

/// <summary>Answers to creations, by the key that their callers sent with them. No entity: one statement writes them and one reads them.</summary>
[DbContext(typeof(IngestionDb))]
[Migration("20261122060000_KeptAnswers")]
public sealed class KeptAnswers : Migration
{
    private const string Table = """
        CREATE TABLE ingestion.kept_answer (
            tenant_id text NOT NULL REFERENCES ingestion.tenant (id),
            caller text NOT NULL,
            key text NOT NULL,
            request_hash bytea NOT NULL,
            status integer NOT NULL,
            sealed bytea NOT NULL,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (tenant_id, caller, key)
        );
        CREATE INDEX kept_answer_created_at ON ingestion.kept_answer (created_at);
        ALTER TABLE ingestion.kept_answer ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own_tenant ON ingestion.kept_answer TO ingestion_web USING (tenant_id = nullif(current_setting('ingestion.tenant', true), ''));
        -- An answer can hold what was shown once: nobody reads it but to send it again.
        REVOKE SELECT ON ingestion.kept_answer FROM ingestion_web;
        """;

    /// <inheritdoc />
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Table);

    /// <inheritdoc />
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("DROP TABLE ingestion.kept_answer;");
}
