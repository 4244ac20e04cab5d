using System;
using System.Collections.Generic;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Ingestion.Core.Data.Migrations
{
    /// <summary>Records, reference lists and reviews, and the quality of versions.</summary>
    public partial class Resolution : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<double>(
                name: "quality",
                schema: "ingestion",
                table: "document_version",
                type: "double precision",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "quality_parts",
                schema: "ingestion",
                table: "document_version",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "auto_accept",
                schema: "ingestion",
                table: "collection",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<long>(
                name: "record_type_id",
                schema: "ingestion",
                table: "collection",
                type: "bigint",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "item_record",
                schema: "ingestion",
                columns: table => new
                {
                    item_id = table.Column<long>(type: "bigint", nullable: false),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    batch_id = table.Column<long>(type: "bigint", nullable: false),
                    record_type_id = table.Column<long>(type: "bigint", nullable: true),
                    document_version_id = table.Column<long>(type: "bigint", nullable: false),
                    fields = table.Column<string>(type: "jsonb", nullable: false),
                    confidence = table.Column<double>(type: "double precision", nullable: true),
                    resolved_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_item_record", x => x.item_id);
                    table.ForeignKey(
                        name: "fk_item_record_import_item_tenant_id_item_id",
                        columns: x => new { x.tenant_id, x.item_id },
                        principalSchema: "ingestion",
                        principalTable: "import_item",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "record_type",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    collection_id = table.Column<long>(type: "bigint", nullable: false),
                    spec = table.Column<string>(type: "jsonb", nullable: false),
                    created_by = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_record_type", x => x.id);
                    table.ForeignKey(
                        name: "fk_record_type_collection_tenant_id_collection_id",
                        columns: x => new { x.tenant_id, x.collection_id },
                        principalSchema: "ingestion",
                        principalTable: "collection",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "reference_list",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    collection_id = table.Column<long>(type: "bigint", nullable: false),
                    entity_type = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_reference_list", x => x.id);
                    table.UniqueConstraint("ak_reference_list_tenant_id_id", x => new { x.tenant_id, x.id });
                    table.ForeignKey(
                        name: "fk_reference_list_collection_tenant_id_collection_id",
                        columns: x => new { x.tenant_id, x.collection_id },
                        principalSchema: "ingestion",
                        principalTable: "collection",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "review_bulk",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    public_id = table.Column<string>(type: "text", nullable: false),
                    action = table.Column<string>(type: "text", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    filter = table.Column<string>(type: "jsonb", nullable: false),
                    reach = table.Column<string>(type: "jsonb", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    total = table.Column<int>(type: "integer", nullable: false),
                    decided = table.Column<int>(type: "integer", nullable: false),
                    passed_over = table.Column<int>(type: "integer", nullable: false),
                    cursor = table.Column<long>(type: "bigint", nullable: false),
                    through = table.Column<long>(type: "bigint", nullable: false),
                    created_by = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_review_bulk", x => x.id);
                    table.CheckConstraint("bulk_done_has_time", "(state = 'done') = (finished_at IS NOT NULL)");
                    table.ForeignKey(
                        name: "fk_review_bulk_tenant_tenant_id",
                        column: x => x.tenant_id,
                        principalSchema: "ingestion",
                        principalTable: "tenant",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "review_item",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    collection_id = table.Column<long>(type: "bigint", nullable: false),
                    batch_id = table.Column<long>(type: "bigint", nullable: false),
                    item_id = table.Column<long>(type: "bigint", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    reasons = table.Column<List<string>>(type: "text[]", nullable: false, defaultValueSql: "'{}'"),
                    confidence = table.Column<double>(type: "double precision", nullable: true),
                    quality = table.Column<double>(type: "double precision", nullable: true),
                    version = table.Column<int>(type: "integer", nullable: false, defaultValue: 1),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    decided_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    decided_by = table.Column<string>(type: "text", nullable: true),
                    decision_reason = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_review_item", x => x.id);
                    table.UniqueConstraint("ak_review_item_tenant_id_id", x => new { x.tenant_id, x.id });
                    table.CheckConstraint("review_decided_has_time", "(state = 'open') = (decided_at IS NULL)");
                    table.ForeignKey(
                        name: "fk_review_item_import_item_tenant_id_item_id",
                        columns: x => new { x.tenant_id, x.item_id },
                        principalSchema: "ingestion",
                        principalTable: "import_item",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "reference_entity",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    list_id = table.Column<long>(type: "bigint", nullable: false),
                    key = table.Column<string>(type: "text", nullable: false),
                    since = table.Column<int>(type: "integer", nullable: false),
                    until = table.Column<int>(type: "integer", nullable: true),
                    name = table.Column<string>(type: "text", nullable: false),
                    aliases = table.Column<string>(type: "jsonb", nullable: false),
                    parent = table.Column<string>(type: "text", nullable: true),
                    attributes = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_reference_entity", x => x.id);
                    table.CheckConstraint("reference_entity_has_lived", "until > since");
                    table.ForeignKey(
                        name: "fk_reference_entity_reference_list_tenant_id_list_id",
                        columns: x => new { x.tenant_id, x.list_id },
                        principalSchema: "ingestion",
                        principalTable: "reference_list",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "reference_version",
                schema: "ingestion",
                columns: table => new
                {
                    list_id = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    entities = table.Column<int>(type: "integer", nullable: false),
                    added = table.Column<int>(type: "integer", nullable: false),
                    changed = table.Column<int>(type: "integer", nullable: false),
                    removed = table.Column<int>(type: "integer", nullable: false),
                    loaded_by = table.Column<string>(type: "text", nullable: false),
                    note = table.Column<string>(type: "text", nullable: true),
                    loaded_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_reference_version", x => new { x.list_id, x.version });
                    table.ForeignKey(
                        name: "fk_reference_version_reference_list_tenant_id_list_id",
                        columns: x => new { x.tenant_id, x.list_id },
                        principalSchema: "ingestion",
                        principalTable: "reference_list",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "review_decision",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    batch_id = table.Column<long>(type: "bigint", nullable: false),
                    review_id = table.Column<long>(type: "bigint", nullable: false),
                    action = table.Column<string>(type: "text", nullable: false),
                    by = table.Column<string>(type: "text", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    before = table.Column<string>(type: "jsonb", nullable: false, defaultValueSql: "'{}'"),
                    chosen = table.Column<string>(type: "jsonb", nullable: false, defaultValueSql: "'{}'"),
                    undoes = table.Column<long>(type: "bigint", nullable: true),
                    bulk_id = table.Column<long>(type: "bigint", nullable: true),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_review_decision", x => x.id);
                    table.ForeignKey(
                        name: "fk_review_decision_review_item_tenant_id_review_id",
                        columns: x => new { x.tenant_id, x.review_id },
                        principalSchema: "ingestion",
                        principalTable: "review_item",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_item_record_batch_id",
                schema: "ingestion",
                table: "item_record",
                column: "batch_id");

            migrationBuilder.CreateIndex(
                name: "ix_item_record_tenant_id_item_id",
                schema: "ingestion",
                table: "item_record",
                columns: new[] { "tenant_id", "item_id" });

            migrationBuilder.CreateIndex(
                name: "ix_record_type_collection_id_id",
                schema: "ingestion",
                table: "record_type",
                columns: new[] { "collection_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_record_type_tenant_id_collection_id",
                schema: "ingestion",
                table: "record_type",
                columns: new[] { "tenant_id", "collection_id" });

            migrationBuilder.CreateIndex(
                name: "ix_reference_entity_list_id_since",
                schema: "ingestion",
                table: "reference_entity",
                columns: new[] { "list_id", "since" });

            migrationBuilder.CreateIndex(
                name: "ix_reference_entity_tenant_id_list_id",
                schema: "ingestion",
                table: "reference_entity",
                columns: new[] { "tenant_id", "list_id" });

            migrationBuilder.CreateIndex(
                name: "reference_entity_current",
                schema: "ingestion",
                table: "reference_entity",
                columns: new[] { "list_id", "key" },
                unique: true,
                filter: "until IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_reference_list_collection_id_entity_type",
                schema: "ingestion",
                table: "reference_list",
                columns: new[] { "collection_id", "entity_type" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_reference_list_tenant_id_collection_id",
                schema: "ingestion",
                table: "reference_list",
                columns: new[] { "tenant_id", "collection_id" });

            migrationBuilder.CreateIndex(
                name: "ix_reference_version_tenant_id_list_id",
                schema: "ingestion",
                table: "reference_version",
                columns: new[] { "tenant_id", "list_id" });

            migrationBuilder.CreateIndex(
                name: "ix_review_bulk_public_id",
                schema: "ingestion",
                table: "review_bulk",
                column: "public_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_review_bulk_tenant_id",
                schema: "ingestion",
                table: "review_bulk",
                column: "tenant_id");

            migrationBuilder.CreateIndex(
                name: "review_bulk_running",
                schema: "ingestion",
                table: "review_bulk",
                column: "id",
                filter: "state = 'running'");

            migrationBuilder.CreateIndex(
                name: "ix_review_decision_bulk_id",
                schema: "ingestion",
                table: "review_decision",
                column: "bulk_id",
                filter: "bulk_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_review_decision_review_id_id",
                schema: "ingestion",
                table: "review_decision",
                columns: new[] { "review_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_review_decision_tenant_id_review_id",
                schema: "ingestion",
                table: "review_decision",
                columns: new[] { "tenant_id", "review_id" });

            migrationBuilder.CreateIndex(
                name: "ix_review_decision_undoes",
                schema: "ingestion",
                table: "review_decision",
                column: "undoes",
                unique: true,
                filter: "undoes IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "ix_review_item_batch_id_id",
                schema: "ingestion",
                table: "review_item",
                columns: new[] { "batch_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_review_item_item_id_id",
                schema: "ingestion",
                table: "review_item",
                columns: new[] { "item_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_review_item_tenant_id_item_id",
                schema: "ingestion",
                table: "review_item",
                columns: new[] { "tenant_id", "item_id" });

            migrationBuilder.CreateIndex(
                name: "review_item_one_open_per_item",
                schema: "ingestion",
                table: "review_item",
                column: "item_id",
                unique: true,
                filter: "state = 'open'");

            migrationBuilder.CreateIndex(
                name: "review_item_open",
                schema: "ingestion",
                table: "review_item",
                columns: new[] { "tenant_id", "id" },
                filter: "state = 'open'");

            foreach (var sql in ReviewGuards.All) migrationBuilder.Sql(sql);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(ReviewGuards.Remove);

            migrationBuilder.DropTable(
                name: "item_record",
                schema: "ingestion");

            migrationBuilder.DropTable(
                name: "record_type",
                schema: "ingestion");

            migrationBuilder.DropTable(
                name: "reference_entity",
                schema: "ingestion");

            migrationBuilder.DropTable(
                name: "reference_version",
                schema: "ingestion");

            migrationBuilder.DropTable(
                name: "review_bulk",
                schema: "ingestion");

            migrationBuilder.DropTable(
                name: "review_decision",
                schema: "ingestion");

            migrationBuilder.DropTable(
                name: "reference_list",
                schema: "ingestion");

            migrationBuilder.DropTable(
                name: "review_item",
                schema: "ingestion");

            migrationBuilder.DropColumn(
                name: "quality",
                schema: "ingestion",
                table: "document_version");

            migrationBuilder.DropColumn(
                name: "quality_parts",
                schema: "ingestion",
                table: "document_version");

            migrationBuilder.DropColumn(
                name: "auto_accept",
                schema: "ingestion",
                table: "collection");

            migrationBuilder.DropColumn(
                name: "record_type_id",
                schema: "ingestion",
                table: "collection");
        }
    }
}
