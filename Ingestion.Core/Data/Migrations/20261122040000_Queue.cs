using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Ingestion.Core.Data.Migrations
{
    /// <summary>
    /// Fewer indexes under every claim and settling, items that are updated in place, and small batches known to the claim. Each foreign
    /// key finds its rows by an index that something else needs as well.
    /// </summary>
    public partial class Queue : Migration
    {
        private const string ForeignKeys = """
            ALTER TABLE ingestion.import_item ADD CONSTRAINT fk_import_item_import_batch
                FOREIGN KEY (tenant_id, batch_id) REFERENCES ingestion.import_batch (tenant_id, id) ON DELETE CASCADE;
            ALTER TABLE ingestion.import_task_run ADD CONSTRAINT fk_import_task_run_import_item
                FOREIGN KEY (tenant_id, item_id) REFERENCES ingestion.import_item (tenant_id, id) ON DELETE CASCADE;
            ALTER TABLE ingestion.import_task_run ADD CONSTRAINT fk_import_task_run_import_job
                FOREIGN KEY (tenant_id, batch_id, job_id) REFERENCES ingestion.import_job (tenant_id, batch_id, id) ON DELETE CASCADE;
            """;

        private const string NoForeignKeys = """
            ALTER TABLE ingestion.import_item DROP CONSTRAINT fk_import_item_import_batch;
            ALTER TABLE ingestion.import_task_run DROP CONSTRAINT fk_import_task_run_import_item, DROP CONSTRAINT fk_import_task_run_import_job;
            """;

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "fk_import_item_import_batch_tenant_id_batch_id",
                schema: "ingestion",
                table: "import_item");

            migrationBuilder.DropForeignKey(
                name: "fk_import_task_run_import_item_tenant_id_item_id",
                schema: "ingestion",
                table: "import_task_run");

            migrationBuilder.DropForeignKey(
                name: "fk_import_task_run_import_job_tenant_id_job_id",
                schema: "ingestion",
                table: "import_task_run");

            migrationBuilder.DropIndex(
                name: "import_task_run_one_open_per_input",
                schema: "ingestion",
                table: "import_task_run");

            migrationBuilder.DropIndex(
                name: "import_task_run_running",
                schema: "ingestion",
                table: "import_task_run");

            migrationBuilder.DropIndex(
                name: "ix_import_task_run_tenant_id_item_id",
                schema: "ingestion",
                table: "import_task_run");

            migrationBuilder.DropIndex(
                name: "ix_import_task_run_tenant_id_job_id",
                schema: "ingestion",
                table: "import_task_run");

            migrationBuilder.DropUniqueConstraint(
                name: "ak_import_job_tenant_id_id",
                schema: "ingestion",
                table: "import_job");

            migrationBuilder.DropIndex(
                name: "ix_import_job_tenant_id_batch_id",
                schema: "ingestion",
                table: "import_job");

            migrationBuilder.DropIndex(
                name: "import_item_open",
                schema: "ingestion",
                table: "import_item");

            migrationBuilder.DropIndex(
                name: "ix_import_item_document_version_id",
                schema: "ingestion",
                table: "import_item");

            migrationBuilder.DropIndex(
                name: "ix_import_item_tenant_id_batch_id",
                schema: "ingestion",
                table: "import_item");

            migrationBuilder.AlterTable(
                name: "import_item",
                schema: "ingestion")
                .Annotation("Npgsql:StorageParameter:fillfactor", 50)
                .OldAnnotation("Npgsql:StorageParameter:fillfactor", 80);

            migrationBuilder.AddColumn<bool>(
                name: "small",
                schema: "ingestion",
                table: "import_job",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddUniqueConstraint(
                name: "ak_import_job_tenant_id_batch_id_id",
                schema: "ingestion",
                table: "import_job",
                columns: new[] { "tenant_id", "batch_id", "id" });

            migrationBuilder.CreateIndex(
                name: "import_task_run_one_open_per_input",
                schema: "ingestion",
                table: "import_task_run",
                column: "input_id",
                unique: true,
                filter: "input_id IS NOT NULL AND state IN ('ready', 'running', 'blocked')");

            migrationBuilder.CreateIndex(
                name: "ix_import_item_document_version_id",
                schema: "ingestion",
                table: "import_item",
                column: "document_version_id",
                filter: "document_version_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "import_task_run_input",
                schema: "ingestion",
                table: "import_task_run",
                columns: new[] { "input_id", "id" },
                filter: "input_id IS NOT NULL");

            migrationBuilder.Sql(ForeignKeys);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql(NoForeignKeys);

            migrationBuilder.DropIndex(
                name: "import_task_run_input",
                schema: "ingestion",
                table: "import_task_run");

            migrationBuilder.DropIndex(
                name: "import_task_run_one_open_per_input",
                schema: "ingestion",
                table: "import_task_run");

            migrationBuilder.DropUniqueConstraint(
                name: "ak_import_job_tenant_id_batch_id_id",
                schema: "ingestion",
                table: "import_job");

            migrationBuilder.DropIndex(
                name: "ix_import_item_document_version_id",
                schema: "ingestion",
                table: "import_item");

            migrationBuilder.DropColumn(
                name: "small",
                schema: "ingestion",
                table: "import_job");

            migrationBuilder.AlterTable(
                name: "import_item",
                schema: "ingestion")
                .Annotation("Npgsql:StorageParameter:fillfactor", 80)
                .OldAnnotation("Npgsql:StorageParameter:fillfactor", 50);

            migrationBuilder.AddUniqueConstraint(
                name: "ak_import_job_tenant_id_id",
                schema: "ingestion",
                table: "import_job",
                columns: new[] { "tenant_id", "id" });

            migrationBuilder.CreateIndex(
                name: "import_task_run_one_open_per_input",
                schema: "ingestion",
                table: "import_task_run",
                column: "input_id",
                unique: true,
                filter: "state IN ('ready', 'running', 'blocked')");

            migrationBuilder.CreateIndex(
                name: "import_task_run_running",
                schema: "ingestion",
                table: "import_task_run",
                column: "lease_until",
                filter: "state = 'running'");

            migrationBuilder.CreateIndex(
                name: "ix_import_task_run_tenant_id_item_id",
                schema: "ingestion",
                table: "import_task_run",
                columns: new[] { "tenant_id", "item_id" });

            migrationBuilder.CreateIndex(
                name: "ix_import_task_run_tenant_id_job_id",
                schema: "ingestion",
                table: "import_task_run",
                columns: new[] { "tenant_id", "job_id" });

            migrationBuilder.CreateIndex(
                name: "ix_import_job_tenant_id_batch_id",
                schema: "ingestion",
                table: "import_job",
                columns: new[] { "tenant_id", "batch_id" });

            migrationBuilder.CreateIndex(
                name: "import_item_open",
                schema: "ingestion",
                table: "import_item",
                column: "batch_id",
                filter: "state = 'open'");

            migrationBuilder.CreateIndex(
                name: "ix_import_item_document_version_id",
                schema: "ingestion",
                table: "import_item",
                column: "document_version_id");

            migrationBuilder.CreateIndex(
                name: "ix_import_item_tenant_id_batch_id",
                schema: "ingestion",
                table: "import_item",
                columns: new[] { "tenant_id", "batch_id" });

            migrationBuilder.AddForeignKey(
                name: "fk_import_item_import_batch_tenant_id_batch_id",
                schema: "ingestion",
                table: "import_item",
                columns: new[] { "tenant_id", "batch_id" },
                principalSchema: "ingestion",
                principalTable: "import_batch",
                principalColumns: new[] { "tenant_id", "id" },
                onDelete: ReferentialAction.Cascade);

            migrationBuilder.AddForeignKey(
                name: "fk_import_task_run_import_item_tenant_id_item_id",
                schema: "ingestion",
                table: "import_task_run",
                columns: new[] { "tenant_id", "item_id" },
                principalSchema: "ingestion",
                principalTable: "import_item",
                principalColumns: new[] { "tenant_id", "id" },
                onDelete: ReferentialAction.Cascade);

            migrationBuilder.AddForeignKey(
                name: "fk_import_task_run_import_job_tenant_id_job_id",
                schema: "ingestion",
                table: "import_task_run",
                columns: new[] { "tenant_id", "job_id" },
                principalSchema: "ingestion",
                principalTable: "import_job",
                principalColumns: new[] { "tenant_id", "id" },
                onDelete: ReferentialAction.Cascade);
        }
    }
}
