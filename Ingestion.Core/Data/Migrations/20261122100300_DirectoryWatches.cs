using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Ingestion.Core.Data.Migrations;

/// <summary>Who watches which directory, and what it held when it was looked at last. No entity: the statements of <c>DirectoryWatches</c> alone touch it.</summary>
[DbContext(typeof(IngestionDb))]
[Migration("20261122100300_DirectoryWatches")]
public sealed class DirectoryWatches : Migration
{
    private const string Table = """
        CREATE TABLE ingestion.directory_watch (
            connection_id bigint PRIMARY KEY REFERENCES ingestion.connection (id) ON DELETE CASCADE,
            tenant_id text NOT NULL,
            worker text,
            lease_until timestamptz NOT NULL,
            -- what the directory held when a sync was begun for it last; null before the first
            print text,
            -- the number of syncs begun: two processes that take one change for theirs submit it under one key
            turns bigint NOT NULL DEFAULT 0
        ) WITH (fillfactor = 50);
        ALTER TABLE ingestion.directory_watch ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own_tenant ON ingestion.directory_watch TO ingestion_web USING (tenant_id = nullif(current_setting('ingestion.tenant', true), ''));
        CREATE POLICY reach ON ingestion.directory_watch AS RESTRICTIVE TO ingestion_web
            USING ((SELECT ingestion.setting('connections') IS NULL) OR connection_id IN (SELECT n.id FROM ingestion.connection n));
        """;

    /// <inheritdoc />
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Table);

    /// <inheritdoc />
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("DROP TABLE ingestion.directory_watch;");
}
