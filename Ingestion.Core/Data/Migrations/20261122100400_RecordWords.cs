using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Ingestion.Core.Data.Migrations;

/// <summary>What the queue of reviews looks for in a record, kept beside it: opening ten thousand records for each look costs most of a second.</summary>
[DbContext(typeof(IngestionDb))]
[Migration("20261122100400_RecordWords")]
public sealed class RecordWords : Migration
{
    private const string Column = """
        -- A value a line, in small letters. Keys, sources and reasons are none of it.
        CREATE FUNCTION ingestion.record_words(fields jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT lower(string_agg(v #>> '{}', E'\n'))
            FROM unnest(ARRAY['$[*].found.value', '$[*].others[*].value', '$[*].parts[*].text', '$[*].entity_name', '$[*].candidates[*].name']::jsonpath[]) path,
                 jsonb_path_query(fields, path) v
        $$;
        -- The keys of the entities that its fields are linked to, or offered.
        CREATE FUNCTION ingestion.record_entities(fields jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
            SELECT coalesce(array_agg(DISTINCT v #>> '{}'), '{}')
            FROM unnest(ARRAY['$[*].entity', '$[*].candidates[*].key']::jsonpath[]) path, jsonb_path_query(fields, path) v
        $$;
        ALTER TABLE ingestion.item_record
            ADD COLUMN words text GENERATED ALWAYS AS (ingestion.record_words(fields)) STORED,
            ADD COLUMN entities text[] GENERATED ALWAYS AS (ingestion.record_entities(fields)) STORED;
        """;

    /// <inheritdoc />
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Column);

    /// <inheritdoc />
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("ALTER TABLE ingestion.item_record DROP COLUMN words, DROP COLUMN entities; DROP FUNCTION ingestion.record_words; DROP FUNCTION ingestion.record_entities;");
}
