using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Ingestion.Core.Data.Migrations
{
    /// <summary>Connections, what a source held when it was listed last, and the frontier of crawls: tables that only SQL touches.</summary>
    [DbContext(typeof(IngestionDb))]
    [Migration("20261122041000_Sources")]
    public partial class Sources : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            foreach (var sql in SourceGuards.All) migrationBuilder.Sql(sql);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) =>
            throw new System.NotSupportedException("Connections are not taken away again: restore a backup from before.");
    }
}
