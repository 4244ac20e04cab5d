using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace Ingestion.Core.Data.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "ingestion");

            migrationBuilder.CreateTable(
                name: "artifact",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    uri = table.Column<string>(type: "text", nullable: false),
                    kind = table.Column<string>(type: "text", nullable: false),
                    length = table.Column<long>(type: "bigint", nullable: true),
                    sha256 = table.Column<string>(type: "text", nullable: true),
                    live = table.Column<bool>(type: "boolean", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_artifact", x => x.id);
                    table.CheckConstraint("live_is_measured", "NOT live OR (length IS NOT NULL AND sha256 IS NOT NULL)");
                });

            migrationBuilder.CreateTable(
                name: "audit_entry",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    who = table.Column<string>(type: "text", nullable: false),
                    action = table.Column<string>(type: "text", nullable: false),
                    target = table.Column<string>(type: "text", nullable: false),
                    reason = table.Column<string>(type: "text", nullable: true),
                    data = table.Column<string>(type: "jsonb", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_audit_entry", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "embedding_generation",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    model = table.Column<string>(type: "text", nullable: false),
                    dimensions = table.Column<int>(type: "integer", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_embedding_generation", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "host_budget",
                schema: "ingestion",
                columns: table => new
                {
                    host = table.Column<string>(type: "text", nullable: false),
                    requests_per_minute = table.Column<int>(type: "integer", nullable: true),
                    next_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    paused_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_host_budget", x => x.host);
                })
                .Annotation("Npgsql:StorageParameter:fillfactor", 50);

            migrationBuilder.CreateTable(
                name: "import_event",
                schema: "ingestion",
                columns: table => new
                {
                    batch_id = table.Column<long>(type: "bigint", nullable: false),
                    seq = table.Column<long>(type: "bigint", nullable: false),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    kind = table.Column<string>(type: "text", nullable: false),
                    item_id = table.Column<long>(type: "bigint", nullable: true),
                    task_id = table.Column<long>(type: "bigint", nullable: true),
                    stage = table.Column<string>(type: "text", nullable: true),
                    data = table.Column<string>(type: "jsonb", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_import_event", x => new { x.batch_id, x.seq });
                });

            migrationBuilder.CreateTable(
                name: "tenant",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    disabled_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_tenant", x => x.id);
                    table.CheckConstraint("tenant_id_is_a_word", "id ~ '^[a-z0-9][a-z0-9-]{0,62}$'");
                });

            migrationBuilder.CreateTable(
                name: "worker_process",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<string>(type: "text", nullable: false),
                    host = table.Column<string>(type: "text", nullable: false),
                    pid = table.Column<int>(type: "integer", nullable: false),
                    role = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<string>(type: "text", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    last_seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    stopped_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_worker_process", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "collection",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    key = table.Column<string>(type: "text", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    description = table.Column<string>(type: "text", nullable: true),
                    embedding_model = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_collection", x => x.id);
                    table.UniqueConstraint("ak_collection_tenant_id_id", x => new { x.tenant_id, x.id });
                    table.CheckConstraint("collection_key_is_a_word", "key ~ '^[a-z0-9][a-z0-9_-]{0,62}$'");
                    table.ForeignKey(
                        name: "fk_collection_tenant_tenant_id",
                        column: x => x.tenant_id,
                        principalSchema: "ingestion",
                        principalTable: "tenant",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "import_batch",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    public_id = table.Column<string>(type: "text", nullable: false),
                    uuid = table.Column<Guid>(type: "uuid", nullable: false, defaultValueSql: "gen_random_uuid()"),
                    collection_id = table.Column<long>(type: "bigint", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    description = table.Column<string>(type: "text", nullable: true),
                    priority = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    desired_state = table.Column<string>(type: "text", nullable: false),
                    draft = table.Column<bool>(type: "boolean", nullable: false),
                    auto_start = table.Column<bool>(type: "boolean", nullable: false),
                    options = table.Column<string>(type: "jsonb", nullable: false),
                    created_by = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    completed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    deleted_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    final_counts = table.Column<string>(type: "jsonb", nullable: true),
                    message = table.Column<string>(type: "text", nullable: true),
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_import_batch", x => x.id);
                    table.UniqueConstraint("ak_import_batch_tenant_id_id", x => new { x.tenant_id, x.id });
                    table.CheckConstraint("batch_draft_is_pending", "NOT draft OR state = 'pending'");
                    table.CheckConstraint("batch_final_has_time", "(state IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL)");
                    table.ForeignKey(
                        name: "fk_import_batch_collection_tenant_id_collection_id",
                        columns: x => new { x.tenant_id, x.collection_id },
                        principalSchema: "ingestion",
                        principalTable: "collection",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "source",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    collection_id = table.Column<long>(type: "bigint", nullable: false),
                    source_type = table.Column<string>(type: "text", nullable: false),
                    connection_id = table.Column<string>(type: "text", nullable: false),
                    source_key = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_source", x => x.id);
                    table.UniqueConstraint("ak_source_tenant_id_id", x => new { x.tenant_id, x.id });
                    table.ForeignKey(
                        name: "fk_source_collection_tenant_id_collection_id",
                        columns: x => new { x.tenant_id, x.collection_id },
                        principalSchema: "ingestion",
                        principalTable: "collection",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "idempotency_key",
                schema: "ingestion",
                columns: table => new
                {
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    caller = table.Column<string>(type: "text", nullable: false),
                    key = table.Column<string>(type: "text", nullable: false),
                    request_hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    batch_id = table.Column<long>(type: "bigint", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_idempotency_key", x => new { x.tenant_id, x.caller, x.key });
                    table.ForeignKey(
                        name: "fk_idempotency_key_import_batch_tenant_id_batch_id",
                        columns: x => new { x.tenant_id, x.batch_id },
                        principalSchema: "ingestion",
                        principalTable: "import_batch",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "import_input",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    batch_id = table.Column<long>(type: "bigint", nullable: false),
                    ordinal = table.Column<int>(type: "integer", nullable: false),
                    source_type = table.Column<string>(type: "text", nullable: false),
                    connection_id = table.Column<string>(type: "text", nullable: true),
                    spec = table.Column<string>(type: "jsonb", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    discovered = table.Column<int>(type: "integer", nullable: false),
                    cursor = table.Column<string>(type: "text", nullable: true),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true),
                    completed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_import_input", x => x.id);
                    table.UniqueConstraint("ak_import_input_tenant_id_id", x => new { x.tenant_id, x.id });
                    table.CheckConstraint("input_final_has_time", "(state = 'open') = (completed_at IS NULL)");
                    table.ForeignKey(
                        name: "fk_import_input_import_batch_tenant_id_batch_id",
                        columns: x => new { x.tenant_id, x.batch_id },
                        principalSchema: "ingestion",
                        principalTable: "import_batch",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "import_item",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    batch_id = table.Column<long>(type: "bigint", nullable: false),
                    input_id = table.Column<long>(type: "bigint", nullable: true),
                    source_type = table.Column<string>(type: "text", nullable: false),
                    connection_id = table.Column<string>(type: "text", nullable: true),
                    source_key = table.Column<string>(type: "text", nullable: false),
                    row = table.Column<int>(type: "integer", nullable: false),
                    name = table.Column<string>(type: "text", nullable: false),
                    upload_id = table.Column<long>(type: "bigint", nullable: true),
                    metadata = table.Column<string>(type: "jsonb", nullable: false),
                    size = table.Column<long>(type: "bigint", nullable: true),
                    state = table.Column<string>(type: "text", nullable: false),
                    stage = table.Column<string>(type: "text", nullable: false),
                    step = table.Column<string>(type: "text", nullable: false),
                    progress_current = table.Column<int>(type: "integer", nullable: false),
                    progress_total = table.Column<int>(type: "integer", nullable: true),
                    progress_message = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: true),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true),
                    error_details = table.Column<string>(type: "jsonb", nullable: true),
                    source_version_id = table.Column<long>(type: "bigint", nullable: true),
                    document_version_id = table.Column<long>(type: "bigint", nullable: true),
                    generation_id = table.Column<long>(type: "bigint", nullable: true),
                    chunk_count = table.Column<int>(type: "integer", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    completed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_import_item", x => x.id);
                    table.UniqueConstraint("ak_import_item_tenant_id_id", x => new { x.tenant_id, x.id });
                    table.CheckConstraint("item_failed_has_code", "state <> 'failed' OR error_code IS NOT NULL");
                    table.CheckConstraint("item_final_has_time", "(state = 'open') = (completed_at IS NULL)");
                    table.CheckConstraint("item_progress_in_bounds", "progress_current >= 0 AND (progress_total IS NULL OR progress_current <= progress_total)");
                    table.ForeignKey(
                        name: "fk_import_item_import_batch_tenant_id_batch_id",
                        columns: x => new { x.tenant_id, x.batch_id },
                        principalSchema: "ingestion",
                        principalTable: "import_batch",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                })
                .Annotation("Npgsql:StorageParameter:fillfactor", 80);

            migrationBuilder.CreateTable(
                name: "import_job",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    batch_id = table.Column<long>(type: "bigint", nullable: false),
                    stage = table.Column<string>(type: "text", nullable: false),
                    active = table.Column<bool>(type: "boolean", nullable: false),
                    served_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    turn_shift = table.Column<TimeSpan>(type: "interval", nullable: false),
                    max_workers = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_import_job", x => x.id);
                    table.UniqueConstraint("ak_import_job_tenant_id_id", x => new { x.tenant_id, x.id });
                    table.ForeignKey(
                        name: "fk_import_job_import_batch_tenant_id_batch_id",
                        columns: x => new { x.tenant_id, x.batch_id },
                        principalSchema: "ingestion",
                        principalTable: "import_batch",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                })
                .Annotation("Npgsql:StorageParameter:fillfactor", 50);

            migrationBuilder.CreateTable(
                name: "upload",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    public_id = table.Column<string>(type: "text", nullable: false),
                    batch_id = table.Column<long>(type: "bigint", nullable: true),
                    purpose = table.Column<string>(type: "text", nullable: false),
                    path = table.Column<string>(type: "text", nullable: false),
                    media_type = table.Column<string>(type: "text", nullable: true),
                    size = table.Column<long>(type: "bigint", nullable: false),
                    received = table.Column<long>(type: "bigint", nullable: false),
                    sha256 = table.Column<string>(type: "text", nullable: true),
                    metadata = table.Column<string>(type: "jsonb", nullable: false),
                    created_by = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    updated_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    completed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    removed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_upload", x => x.id);
                    table.CheckConstraint("upload_complete_has_hash", "(completed_at IS NULL) = (sha256 IS NULL)");
                    table.CheckConstraint("upload_within_size", "received >= 0 AND received <= size");
                    table.ForeignKey(
                        name: "fk_upload_import_batch_tenant_id_batch_id",
                        columns: x => new { x.tenant_id, x.batch_id },
                        principalSchema: "ingestion",
                        principalTable: "import_batch",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "document",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    collection_id = table.Column<long>(type: "bigint", nullable: false),
                    source_id = table.Column<long>(type: "bigint", nullable: false),
                    exported_version_id = table.Column<long>(type: "bigint", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_document", x => x.id);
                    table.UniqueConstraint("ak_document_tenant_id_id", x => new { x.tenant_id, x.id });
                    table.ForeignKey(
                        name: "fk_document_source_tenant_id_source_id",
                        columns: x => new { x.tenant_id, x.source_id },
                        principalSchema: "ingestion",
                        principalTable: "source",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "source_version",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    source_id = table.Column<long>(type: "bigint", nullable: false),
                    sha256 = table.Column<string>(type: "text", nullable: false),
                    length = table.Column<long>(type: "bigint", nullable: false),
                    media_type = table.Column<string>(type: "text", nullable: true),
                    charset = table.Column<string>(type: "text", nullable: true),
                    final_url = table.Column<string>(type: "text", nullable: true),
                    etag = table.Column<string>(type: "text", nullable: true),
                    last_modified = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    raw_uri = table.Column<string>(type: "text", nullable: false),
                    fetched_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_source_version", x => x.id);
                    table.UniqueConstraint("ak_source_version_tenant_id_id", x => new { x.tenant_id, x.id });
                    table.ForeignKey(
                        name: "fk_source_version_source_tenant_id_source_id",
                        columns: x => new { x.tenant_id, x.source_id },
                        principalSchema: "ingestion",
                        principalTable: "source",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "import_task_run",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    batch_id = table.Column<long>(type: "bigint", nullable: false),
                    job_id = table.Column<long>(type: "bigint", nullable: false),
                    item_id = table.Column<long>(type: "bigint", nullable: true),
                    input_id = table.Column<long>(type: "bigint", nullable: true),
                    stage = table.Column<string>(type: "text", nullable: false),
                    state = table.Column<string>(type: "text", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    failures = table.Column<int>(type: "integer", nullable: false),
                    crashes = table.Column<int>(type: "integer", nullable: false),
                    scheduled_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    wait_reason = table.Column<string>(type: "text", nullable: true),
                    lease_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    worker = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    claimed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_import_task_run", x => x.id);
                    table.CheckConstraint("counts_are_counts", "attempt >= 0 AND failures >= 0 AND crashes >= 0 AND failures + crashes <= attempt");
                    table.CheckConstraint("discover_has_input", "(stage = 'discover') = (input_id IS NOT NULL)");
                    table.CheckConstraint("final_has_timestamp", "(state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)");
                    table.CheckConstraint("item_or_input", "(item_id IS NULL) <> (input_id IS NULL)");
                    table.CheckConstraint("running_has_lease", "(state = 'running') = (lease_until IS NOT NULL)");
                    table.ForeignKey(
                        name: "fk_import_task_run_import_item_tenant_id_item_id",
                        columns: x => new { x.tenant_id, x.item_id },
                        principalSchema: "ingestion",
                        principalTable: "import_item",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_import_task_run_import_job_tenant_id_job_id",
                        columns: x => new { x.tenant_id, x.job_id },
                        principalSchema: "ingestion",
                        principalTable: "import_job",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                })
                .Annotation("Npgsql:StorageParameter:fillfactor", 80);

            migrationBuilder.CreateTable(
                name: "document_version",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    document_id = table.Column<long>(type: "bigint", nullable: false),
                    source_version_id = table.Column<long>(type: "bigint", nullable: false),
                    options_hash = table.Column<string>(type: "text", nullable: false),
                    title = table.Column<string>(type: "text", nullable: false),
                    format = table.Column<string>(type: "text", nullable: false),
                    parser_version = table.Column<int>(type: "integer", nullable: false),
                    pages = table.Column<int>(type: "integer", nullable: true),
                    characters = table.Column<int>(type: "integer", nullable: false),
                    chunk_count = table.Column<int>(type: "integer", nullable: false),
                    notes = table.Column<string>(type: "jsonb", nullable: false),
                    metadata = table.Column<string>(type: "jsonb", nullable: false),
                    markdown_uri = table.Column<string>(type: "text", nullable: false),
                    record_uri = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_document_version", x => x.id);
                    table.UniqueConstraint("ak_document_version_tenant_id_id", x => new { x.tenant_id, x.id });
                    table.ForeignKey(
                        name: "fk_document_version_document_tenant_id_document_id",
                        columns: x => new { x.tenant_id, x.document_id },
                        principalSchema: "ingestion",
                        principalTable: "document",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_document_version_source_version_tenant_id_source_version_id",
                        columns: x => new { x.tenant_id, x.source_version_id },
                        principalSchema: "ingestion",
                        principalTable: "source_version",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "chunk",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    document_version_id = table.Column<long>(type: "bigint", nullable: false),
                    ordinal = table.Column<int>(type: "integer", nullable: false),
                    heading_path = table.Column<string>(type: "text", nullable: false),
                    text = table.Column<string>(type: "text", nullable: false),
                    text_hash = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_chunk", x => x.id);
                    table.ForeignKey(
                        name: "fk_chunk_document_version_tenant_id_document_version_id",
                        columns: x => new { x.tenant_id, x.document_version_id },
                        principalSchema: "ingestion",
                        principalTable: "document_version",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "document_link",
                schema: "ingestion",
                columns: table => new
                {
                    document_version_id = table.Column<long>(type: "bigint", nullable: false),
                    ordinal = table.Column<int>(type: "integer", nullable: false),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    target = table.Column<string>(type: "text", nullable: false),
                    text = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_document_link", x => new { x.document_version_id, x.ordinal });
                    table.ForeignKey(
                        name: "fk_document_link_document_version_tenant_id_document_version_id",
                        columns: x => new { x.tenant_id, x.document_version_id },
                        principalSchema: "ingestion",
                        principalTable: "document_version",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "publication",
                schema: "ingestion",
                columns: table => new
                {
                    id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    tenant_id = table.Column<string>(type: "text", nullable: false),
                    document_id = table.Column<long>(type: "bigint", nullable: false),
                    document_version_id = table.Column<long>(type: "bigint", nullable: false),
                    batch_id = table.Column<long>(type: "bigint", nullable: false),
                    published_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    revoked_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_publication", x => x.id);
                    table.ForeignKey(
                        name: "fk_publication_document_version_tenant_id_document_version_id",
                        columns: x => new { x.tenant_id, x.document_version_id },
                        principalSchema: "ingestion",
                        principalTable: "document_version",
                        principalColumns: new[] { "tenant_id", "id" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "artifact_intent",
                schema: "ingestion",
                table: "artifact",
                column: "created_at",
                filter: "NOT live");

            migrationBuilder.CreateIndex(
                name: "ix_artifact_uri",
                schema: "ingestion",
                table: "artifact",
                column: "uri",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_audit_entry_tenant_id_at",
                schema: "ingestion",
                table: "audit_entry",
                columns: new[] { "tenant_id", "at" });

            migrationBuilder.CreateIndex(
                name: "ix_chunk_document_version_id_ordinal",
                schema: "ingestion",
                table: "chunk",
                columns: new[] { "document_version_id", "ordinal" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_chunk_tenant_id_document_version_id",
                schema: "ingestion",
                table: "chunk",
                columns: new[] { "tenant_id", "document_version_id" });

            migrationBuilder.CreateIndex(
                name: "ix_chunk_tenant_id_text_hash",
                schema: "ingestion",
                table: "chunk",
                columns: new[] { "tenant_id", "text_hash" });

            migrationBuilder.CreateIndex(
                name: "ix_collection_tenant_id_key",
                schema: "ingestion",
                table: "collection",
                columns: new[] { "tenant_id", "key" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_document_source_id",
                schema: "ingestion",
                table: "document",
                column: "source_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_document_tenant_id_collection_id_id",
                schema: "ingestion",
                table: "document",
                columns: new[] { "tenant_id", "collection_id", "id" });

            migrationBuilder.CreateIndex(
                name: "ix_document_tenant_id_source_id",
                schema: "ingestion",
                table: "document",
                columns: new[] { "tenant_id", "source_id" });

            migrationBuilder.CreateIndex(
                name: "ix_document_link_tenant_id_document_version_id",
                schema: "ingestion",
                table: "document_link",
                columns: new[] { "tenant_id", "document_version_id" });

            migrationBuilder.CreateIndex(
                name: "ix_document_version_document_id",
                schema: "ingestion",
                table: "document_version",
                column: "document_id");

            migrationBuilder.CreateIndex(
                name: "ix_document_version_source_version_id_options_hash",
                schema: "ingestion",
                table: "document_version",
                columns: new[] { "source_version_id", "options_hash" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_document_version_tenant_id_document_id",
                schema: "ingestion",
                table: "document_version",
                columns: new[] { "tenant_id", "document_id" });

            migrationBuilder.CreateIndex(
                name: "ix_document_version_tenant_id_source_version_id",
                schema: "ingestion",
                table: "document_version",
                columns: new[] { "tenant_id", "source_version_id" });

            migrationBuilder.CreateIndex(
                name: "ix_embedding_generation_model_dimensions_version",
                schema: "ingestion",
                table: "embedding_generation",
                columns: new[] { "model", "dimensions", "version" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_idempotency_key_tenant_id_batch_id",
                schema: "ingestion",
                table: "idempotency_key",
                columns: new[] { "tenant_id", "batch_id" });

            migrationBuilder.CreateIndex(
                name: "import_batch_open",
                schema: "ingestion",
                table: "import_batch",
                columns: new[] { "state", "id" },
                filter: "state NOT IN ('completed', 'failed', 'cancelled')");

            migrationBuilder.CreateIndex(
                name: "ix_import_batch_public_id",
                schema: "ingestion",
                table: "import_batch",
                column: "public_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_import_batch_tenant_id_collection_id",
                schema: "ingestion",
                table: "import_batch",
                columns: new[] { "tenant_id", "collection_id" });

            migrationBuilder.CreateIndex(
                name: "ix_import_batch_tenant_id_created_at",
                schema: "ingestion",
                table: "import_batch",
                columns: new[] { "tenant_id", "created_at" });

            migrationBuilder.CreateIndex(
                name: "ix_import_batch_uuid",
                schema: "ingestion",
                table: "import_batch",
                column: "uuid",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_import_event_item_id_seq",
                schema: "ingestion",
                table: "import_event",
                columns: new[] { "item_id", "seq" },
                filter: "item_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "import_input_open",
                schema: "ingestion",
                table: "import_input",
                column: "batch_id",
                filter: "state = 'open'");

            migrationBuilder.CreateIndex(
                name: "ix_import_input_batch_id_ordinal",
                schema: "ingestion",
                table: "import_input",
                columns: new[] { "batch_id", "ordinal" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_import_input_tenant_id_batch_id",
                schema: "ingestion",
                table: "import_input",
                columns: new[] { "tenant_id", "batch_id" });

            migrationBuilder.CreateIndex(
                name: "import_item_open",
                schema: "ingestion",
                table: "import_item",
                column: "batch_id",
                filter: "state = 'open'");

            migrationBuilder.CreateIndex(
                name: "ix_import_item_batch_id_state_id",
                schema: "ingestion",
                table: "import_item",
                columns: new[] { "batch_id", "state", "id" });

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

            migrationBuilder.CreateIndex(
                name: "ix_import_item_upload_id",
                schema: "ingestion",
                table: "import_item",
                column: "upload_id",
                filter: "upload_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "import_job_active",
                schema: "ingestion",
                table: "import_job",
                column: "stage",
                filter: "active");

            migrationBuilder.CreateIndex(
                name: "ix_import_job_batch_id_stage",
                schema: "ingestion",
                table: "import_job",
                columns: new[] { "batch_id", "stage" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_import_job_tenant_id_batch_id",
                schema: "ingestion",
                table: "import_job",
                columns: new[] { "tenant_id", "batch_id" });

            migrationBuilder.CreateIndex(
                name: "import_task_run_batch",
                schema: "ingestion",
                table: "import_task_run",
                columns: new[] { "batch_id", "id" });

            migrationBuilder.CreateIndex(
                name: "import_task_run_item",
                schema: "ingestion",
                table: "import_task_run",
                columns: new[] { "item_id", "id" });

            migrationBuilder.CreateIndex(
                name: "import_task_run_one_open_per_input",
                schema: "ingestion",
                table: "import_task_run",
                column: "input_id",
                unique: true,
                filter: "state IN ('ready', 'running', 'blocked')");

            migrationBuilder.CreateIndex(
                name: "import_task_run_one_open_per_item",
                schema: "ingestion",
                table: "import_task_run",
                column: "item_id",
                unique: true,
                filter: "state IN ('ready', 'running', 'blocked')");

            migrationBuilder.CreateIndex(
                name: "import_task_run_open_batch",
                schema: "ingestion",
                table: "import_task_run",
                column: "batch_id",
                filter: "state IN ('ready', 'running')");

            migrationBuilder.CreateIndex(
                name: "import_task_run_ready",
                schema: "ingestion",
                table: "import_task_run",
                columns: new[] { "job_id", "scheduled_at", "id" },
                filter: "state = 'ready'");

            migrationBuilder.CreateIndex(
                name: "import_task_run_running",
                schema: "ingestion",
                table: "import_task_run",
                column: "lease_until",
                filter: "state = 'running'");

            migrationBuilder.CreateIndex(
                name: "import_task_run_running_batch",
                schema: "ingestion",
                table: "import_task_run",
                column: "batch_id",
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
                name: "ix_publication_document_version_id",
                schema: "ingestion",
                table: "publication",
                column: "document_version_id");

            migrationBuilder.CreateIndex(
                name: "ix_publication_tenant_id_document_version_id",
                schema: "ingestion",
                table: "publication",
                columns: new[] { "tenant_id", "document_version_id" });

            migrationBuilder.CreateIndex(
                name: "publication_live",
                schema: "ingestion",
                table: "publication",
                columns: new[] { "document_id", "id" },
                filter: "revoked_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_source_tenant_id_collection_id",
                schema: "ingestion",
                table: "source",
                columns: new[] { "tenant_id", "collection_id" });

            migrationBuilder.CreateIndex(
                name: "ix_source_version_source_id_sha256",
                schema: "ingestion",
                table: "source_version",
                columns: new[] { "source_id", "sha256" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_source_version_tenant_id_sha256",
                schema: "ingestion",
                table: "source_version",
                columns: new[] { "tenant_id", "sha256" });

            migrationBuilder.CreateIndex(
                name: "ix_source_version_tenant_id_source_id",
                schema: "ingestion",
                table: "source_version",
                columns: new[] { "tenant_id", "source_id" });

            migrationBuilder.CreateIndex(
                name: "ix_upload_batch_id_purpose_path",
                schema: "ingestion",
                table: "upload",
                columns: new[] { "batch_id", "purpose", "path" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_upload_public_id",
                schema: "ingestion",
                table: "upload",
                column: "public_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_upload_tenant_id_batch_id",
                schema: "ingestion",
                table: "upload",
                columns: new[] { "tenant_id", "batch_id" });
            foreach (var sql in InitialGuards.All) migrationBuilder.Sql(sql);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP SCHEMA ingestion CASCADE");
        }
    }
}
