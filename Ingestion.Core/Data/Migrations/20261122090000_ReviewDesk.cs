using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Ingestion.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class ReviewDesk : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(name: "assigned_to", schema: "ingestion", table: "review_item", type: "text", nullable: true);
            migrationBuilder.AddColumn<string>(name: "unsure_by", schema: "ingestion", table: "review_item", type: "text", nullable: true);
            migrationBuilder.AddColumn<string>(name: "unsure_reason", schema: "ingestion", table: "review_item", type: "text", nullable: true);
            migrationBuilder.AddColumn<DateTimeOffset>(name: "unsure_at", schema: "ingestion", table: "review_item", type: "timestamp with time zone", nullable: true);
            migrationBuilder.AddCheckConstraint(name: "review_unsure_has_time", schema: "ingestion", table: "review_item", sql: "(unsure_by IS NULL) = (unsure_at IS NULL)");

            migrationBuilder.CreateTable(
                name: "review_view",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    owner = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    filter = table.Column<string>(type: "jsonb", nullable: false),
                    sort = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_review_view", x => x.id);
                    table.ForeignKey(
                        name: "fk_review_view_tenant_tenant_id",
                        column: x => x.tenant_id,
                        principalSchema: "ingestion",
                        principalTable: "tenant",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_review_view_tenant_id_owner_name",
                schema: "ingestion",
                table: "review_view",
                columns: new[] { "tenant_id", "owner", "name" },
                unique: true);

            migrationBuilder.Sql(ReviewDeskGuards.Access);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(name: "review_view", schema: "ingestion");
            migrationBuilder.DropCheckConstraint(name: "review_unsure_has_time", schema: "ingestion", table: "review_item");
            migrationBuilder.DropColumn(name: "assigned_to", schema: "ingestion", table: "review_item");
            migrationBuilder.DropColumn(name: "unsure_by", schema: "ingestion", table: "review_item");
            migrationBuilder.DropColumn(name: "unsure_reason", schema: "ingestion", table: "review_item");
            migrationBuilder.DropColumn(name: "unsure_at", schema: "ingestion", table: "review_item");
        }
    }
}
