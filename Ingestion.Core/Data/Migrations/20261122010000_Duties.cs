using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Ingestion.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class Duties : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(
                name: "connections",
                schema: "ingestion",
                table: "worker_process",
                type: "integer",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<string>(
                name: "slots",
                schema: "ingestion",
                table: "worker_process",
                type: "jsonb",
                nullable: false,
                defaultValueSql: "'{}'");

            migrationBuilder.CreateTable(
                name: "duty",
                schema: "ingestion",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    purpose = table.Column<string>(type: "text", nullable: false),
                    interval = table.Column<TimeSpan>(type: "interval", nullable: false),
                    next_due = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    last_started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    last_finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    last_error = table.Column<string>(type: "text", nullable: true),
                    worker = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_duty", x => x.name);
                })
                .Annotation("Npgsql:StorageParameter:fillfactor", 10);

            migrationBuilder.CreateTable(
                name: "pruned_batch",
                schema: "ingestion",
                columns: table => new
                {
                    batch_id = table.Column<long>(type: "bigint", nullable: false),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    last_seq = table.Column<long>(type: "bigint", nullable: false, defaultValue: 0L),
                    events = table.Column<string>(type: "jsonb", nullable: false, defaultValueSql: "'{}'"),
                    events_pruned_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    last_task_run = table.Column<long>(type: "bigint", nullable: false, defaultValue: 0L),
                    task_runs = table.Column<string>(type: "jsonb", nullable: false, defaultValueSql: "'{}'"),
                    task_runs_pruned_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_pruned_batch", x => x.batch_id);
                    table.ForeignKey(
                        name: "fk_pruned_batch_import_batch_tenant_id_batch_id",
                        columns: x => new { x.tenant_id, x.batch_id },
                        principalSchema: "ingestion",
                        principalTable: "import_batch",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_pruned_batch_tenant_id_batch_id",
                schema: "ingestion",
                table: "pruned_batch",
                columns: new[] { "tenant_id", "batch_id" });
            foreach (var sql in DutiesGuards.All) migrationBuilder.Sql(sql);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(DutiesGuards.Remove);
            migrationBuilder.DropTable(
                name: "duty",
                schema: "ingestion");

            migrationBuilder.DropTable(
                name: "pruned_batch",
                schema: "ingestion");

            migrationBuilder.DropColumn(
                name: "connections",
                schema: "ingestion",
                table: "worker_process");

            migrationBuilder.DropColumn(
                name: "slots",
                schema: "ingestion",
                table: "worker_process");
        }
    }
}
