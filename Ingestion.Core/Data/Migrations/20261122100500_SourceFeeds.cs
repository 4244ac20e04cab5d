using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Ingestion.Core.Data.Migrations;

/// <summary>Where the feed of changes of a source stood before it was listed as a whole for the last time. No entity: the statements of <c>SyncState</c> alone touch it.</summary>
[DbContext(typeof(IngestionDb))]
[Migration("20261122100500_SourceFeeds")]
public sealed class SourceFeeds : Migration
{
    /// <inheritdoc />
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("ALTER TABLE ingestion.sync_source ADD COLUMN feed text;");

    /// <inheritdoc />
    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("ALTER TABLE ingestion.sync_source DROP COLUMN feed;");
}
