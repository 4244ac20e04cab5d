namespace Ingestion.Admin.OpenApi;

/// <summary>The families of routes that speak the vocabularies of others.</summary>
internal static partial class ApiOperations
{
    private const string BulkIngest = "Bulk ingest";
    private const string BatchJobs = "Batch jobs";
    private const string CollectionJobs = "Ingestion jobs";
    private const string Syncs = "Source sync";
    private const string BulkImport = "Bulk import";
    private const string Import = "/v1/admin/bulk-import/batches";

    private static IEnumerable<ApiOperation> Bulk =>
    [
        new("POST", "/ingest/bulk", BulkIngest, "Hand in uploads, addresses and whole sites in one request; fetching starts at once.", 202) { Request = "bulk-request", Form = ["items", "name", "collection", "options"], Answer = "bulk-submitted" },
        new("GET", "/ingest/jobs/{id}", BulkIngest, "How far a job is: fetched, ingested, and the mean of both.") { Answer = "bulk-job" },
        new("GET", "/ingest/jobs/{id}/stream", BulkIngest, "The same as it changes: server-sent events, which resume after Last-Event-ID.") { Stream = "text/event-stream" },
    ];

    private static IEnumerable<ApiOperation> Jobs =>
    [
        new("POST", "/batch/jobs", BatchJobs, "Create a job from files of several sources. It waits until it is started.") { Request = "job-request", Required = ["name", "file_selections"], Answer = "job" },
        new("POST", "/batch/jobs/list", BatchJobs, "List a person's jobs.") { Request = "job-list", Answer = "jobs" },
        new("GET", "/batch/jobs/{job_id}", BatchJobs, "One job with its sources and files.") { Answer = "job" },
        new("POST", "/batch/jobs/{job_id}/control", BatchJobs, "Start, pause, resume, cancel or retry a job.") { Request = "job-control", Required = ["action"], Answer = "job-controlled" },
        new("GET", "/batch/statistics", BatchJobs, "What a person's jobs came to.") { Answer = "job-statistics" },
        new("GET", "/batch/ws/{user_id}", BatchJobs, "Progress as it happens, over a WebSocket.", 101),
    ];

    private static IEnumerable<ApiOperation> Collections =>
    [
        new("POST", "/ingest-file", CollectionJobs, "Ingest a file: one job.") { Form = ["collection_id", "name", "options", "metadata"], Answer = "ingestion-job" },
        new("POST", "/ingest-url", CollectionJobs, "Ingest one address or several: a job each.") { Request = "ingest-url", Answer = "ingest-answer" },
        new("POST", "/ingest-base", CollectionJobs, "Ingest from a source: a site, a feed, a connection.") { Request = "ingest-base", Required = ["source_type"], Answer = "ingest-answer" },
        new("GET", "/config/ingestion", CollectionJobs, "Seconds between two polls of a page.") { Answer = "config-ingestion" },
        new("GET", "/collections/{collection_id}/ingestion-jobs", CollectionJobs, "The jobs of a collection, filtered, sorted and paged.") { Answer = "ingestion-jobs" },
        new("GET", "/collections/{collection_id}/ingestion-jobs/{job_id:long}", CollectionJobs, "One job with its progress, its duration and what went wrong.") { Answer = "ingestion-job" },
        new("POST", "/collections/{collection_id}/ingestion-jobs/{job_id:long}/retry", CollectionJobs, "Run a failed job again, with the same parameters or others.") { Request = "ingestion-retry", Answer = "ingestion-job" },
        new("POST", "/collections/{collection_id}/ingestion-jobs/{job_id:long}/cancel", CollectionJobs, "Cancel a job that has not ended.") { Answer = "ingestion-job" },
        new("GET", "/collections/{collection_id}/ingestion-status", CollectionJobs, "How many jobs are where, and the latest failures.") { Answer = "ingestion-status" },
    ];

    private static IEnumerable<ApiOperation> Sync =>
    [
        new("POST", "/v1/ingest/sources/sync", Syncs, "Take in what is new or changed in sources of some kinds.", 202) { Request = "sync-request", Required = ["tenant_id", "source_types"], Answer = "sync-job" },
        new("POST", "/v1/ingest/files/upload", Syncs, "Take in files: .txt, .md, .docx, .pdf and every other format that is read here.", 202) { Form = ["tenant_id", "collection", "name", "options", "metadata"], Answer = "sync-job" },
        new("GET", "/v1/ingest/jobs/{job_id}", Syncs, "A job with the counters of its run.") { Answer = "sync-job" },
        new("GET", "/v1/jobs/{job_id}", Syncs, "The same as /v1/ingest/jobs/{job_id}.") { Answer = "sync-job" },
    ];

    private static IEnumerable<ApiOperation> Imports =>
    [
        new("POST", Import, BulkImport, "Create a batch from a CSV manifest: a form with the file, or JSON that names an upload or a file of the server.", 201)
        {
            Request = "import-request", Form = ["name", "description", "url_column", "title_column", "collection", "options", "priority"], Answer = "import-batch",
        },
        new("GET", Import, BulkImport, "List batches, newest first.") { Answer = "import-batches" },
        new("GET", $"{Import}/{{id}}", BulkImport, "One batch.") { Answer = "import-batch" },
        new("GET", $"{Import}/{{id}}/jobs", BulkImport, "The kinds of work of a batch, and how far each is.") { Answer = "import-jobs" },
        new("GET", $"{Import}/{{id}}/tasks", BulkImport, "The tasks of a batch: its manifests, then its rows.") { Answer = "import-tasks" },
        new("GET", $"{Import}/{{id}}/events", BulkImport, "What happened, numbered without gaps.") { Answer = "import-events" },
        new("GET", $"{Import}/{{id}}/export", BulkImport, "Every row with how it ended, as csv, json or jsonl.") { Stream = "text/csv" },
        new("POST", $"{Import}/{{id}}/pause", BulkImport, "Pause a batch.") { Request = "reason", Answer = "import-batch" },
        new("POST", $"{Import}/{{id}}/resume", BulkImport, "Resume a batch.") { Request = "reason", Answer = "import-batch" },
        new("POST", $"{Import}/{{id}}/cancel", BulkImport, "Cancel a batch.") { Request = "reason", Answer = "import-batch" },
        new("POST", $"{Import}/{{id}}/retry", BulkImport, "Run failed and cancelled tasks again.") { Request = "reason", Answer = "import-batch" },
        new("POST", $"{Import}/{{id}}/approve-all", BulkImport, "Approve every task of a batch that waits for review, as a job.", 202) { Request = "reason", Answer = "import-review-all" },
        new("POST", $"{Import}/{{id}}/reject-all", BulkImport, "Reject every task of a batch that waits for review, as a job.", 202) { Request = "reason", Answer = "import-review-all" },
        new("POST", "/v1/admin/imports/bulk-review", BulkImport, "Approve or reject named tasks at once, with an answer for each.") { Request = "import-review", Required = ["import_ids", "action"], Answer = "import-reviewed" },
    ];
}
