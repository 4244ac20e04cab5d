using Ingestion.Admin.Access;

namespace Ingestion.Admin.OpenApi;

/// <summary>
/// Every operation of the API in the order of the reference. A route that programs use and that is not here fails a test, and so does a row
/// without a route.
/// </summary>
internal static partial class ApiOperations
{
    public static IReadOnlyList<ApiOperation> All { get; } = [.. Batches, .. Sources, .. Library, .. Review, .. Uploads, .. Bulk, .. Jobs, .. Collections, .. Sync, .. Imports, .. Access, .. Webhooks, .. Operations];

    /// <summary>True for routes that the reference tells of: not pages and what they are made of, nor the ways by which a browser gets in.</summary>
    public static bool Covers(RouteRule rule) => !rule.IsPage && rule.Pattern.TrimStart('/') is var path && !path.StartsWith('_') && !path.StartsWith("sign-", StringComparison.Ordinal);

    public static ApiOperation? Find(string method, string path) => All.FirstOrDefault(o => o.Method == method && o.Path == path);

    private static IEnumerable<ApiOperation> Batches =>
    [
        new("POST", "/api/v1/batches", "Batches", "Hand in uploads, addresses, manifests and sources as one batch.", 201) { Request = "batch-request", Required = ["name"], Answer = "batch" },
        new("GET", "/api/v1/batches", "Batches", "List batches, newest first.") { Answer = "batches" },
        new("GET", "/api/v1/batches/{id}", "Batches", "How far a batch is, in a sentence and in figures.") { Answer = "batch" },
        new("GET", "/api/v1/batches/{id}/items", "Batches", "The documents of a batch, each with its reason where it waits.") { Answer = "items" },
        new("GET", "/api/v1/batches/{id}/items/{item:long}", "Batches", "One document with every attempt at every stage.") { Answer = "item" },
        new("GET", "/api/v1/batches/{id}/failures", "Batches", "Failures, grouped by what they have in common, each with its remedy.") { Answer = "failures" },
        new("GET", "/api/v1/batches/{id}/events", "Batches", "What happened, numbered without gaps, after a number.") { Answer = "events" },
        new("GET", "/api/v1/batches/{id}/waiting", "Batches", "What the open documents of a batch wait for, largest group first.") { Answer = "waiting" },
        new("GET", "/api/v1/batches/{id}/stream", "Batches", "What happens, as it happens: server-sent events, which resume after Last-Event-ID.") { Stream = "text/event-stream" },
        Act("start", "Start a batch that waits for it."),
        Act("pause", "Let what runs come to its end, and start nothing new."),
        Act("resume", "Let a paused batch go on."),
        Act("cancel", "Cancel a batch, or some documents of it."),
        Act("try-now", "Cut pauses of ours short: try at once what waits for another attempt."),
        Act("retry", "Run ended documents again, with the same options or others.") with { Request = "retry-request" },
        Act("delete", "Delete a batch; its documents stay unless they are wanted gone.") with { Request = "delete-request" },
        new("DELETE", "/api/v1/batches/{id}", "Batches", "The same as POST …/delete.") { Answer = "message" },
        new("GET", "/api/v1/drafts/{batch}/addresses", "Batches", "The addresses pasted into a draft, one a line.") { Stream = "text/plain" },
        new("PUT", "/api/v1/drafts/{batch}/addresses", "Batches", "Replace the addresses pasted into a draft.") { Bytes = "text/plain", Answer = "pasted" },
    ];

    private static IEnumerable<ApiOperation> Sources =>
    [
        new("GET", "/api/v1/source-kinds", "Sources", "Kinds of places that documents come from, with what a connection and a selection of each may say.") { Answer = "source-kinds" },
        new("GET", "/api/v1/connections", "Sources", "Connections; never their secrets.") { Answer = "connections" },
        new("POST", "/api/v1/connections", "Sources", "Make a connection.", 201) { Request = "connection-request", Required = ["kind", "key", "name"], Answer = "connection" },
        new("GET", "/api/v1/connections/{id}", "Sources", "One connection.") { Answer = "connection" },
        new("PUT", "/api/v1/connections/{id}", "Sources", "Change a connection; secrets that are not sent stay.") { Request = "connection-change", Answer = "connection" },
        new("DELETE", "/api/v1/connections/{id}", "Sources", "Forget a connection and its secrets. What came by it stays.", 204),
        new("POST", "/api/v1/connections/{id}/test", "Sources", "Try whether a connection works.") { Answer = "connection-test" },
        new("PUT", "/api/v1/connections/{id}/schedule", "Sources", "Take what is new or changed again and again.") { Request = "connection-schedule", Required = ["schedule"], Answer = "connection" },
        new("DELETE", "/api/v1/connections/{id}/schedule", "Sources", "End the schedule of a connection.", 204),
        new("POST", "/api/v1/connections/{id}/sync", "Sources", "Take what is new or changed now: a batch.", 201) { Request = "connection-sync", Answer = "batch" },
        new("GET", "/api/v1/connections/{id}/runs", "Sources", "What each listing of a connection came to.") { Answer = "connection-runs" },
        new("GET", "/api/v1/connections/{id}/gone", "Sources", "Documents that the source no longer has.") { Answer = "connection-gone" },
        new("POST", "/api/v1/connections/{id}/gone/remove", "Sources", "Take documents out of the library that the source no longer has.") { Answer = "removed" },
        new("GET", "/api/v1/hosts", "Sources", "Hosts that something was asked of, those asked last first, with their budgets and what waits for them.") { Answer = "hosts" },
        new("GET", "/api/v1/hosts/{host}", "Sources", "One host: its budget, its last hour, and the last requests.") { Answer = "host" },
        new("PUT", "/api/v1/hosts/{host}/budget", "Sources", "Give a host a rate of its own. It holds at once, in running batches too.") { Request = "host-budget", Required = ["requests_per_minute"], Answer = "host" },
        new("DELETE", "/api/v1/hosts/{host}/budget", "Sources", "Take the rate back: the installation's holds again.", 204),
        new("GET", "/api/v1/batches/{id}/dead-links", "Sources", "Addresses that a crawl could not take, with the page that names each.") { Answer = "dead-links" },
        new("POST", "/api/v1/firecrawl/events", "Sources", "What the crawling service tells by itself, signed in X-Firecrawl-Signature. Not for other programs.", 204) { Bytes = "application/json" },
    ];

    private static IEnumerable<ApiOperation> Library =>
    [
        new("GET", "/api/v1/collections", "Library", "Collections with what is published in them.") { Answer = "collections" },
        new("POST", "/api/v1/collections", "Library", "Make a collection.", 201) { Request = "collection-request", Required = ["name"], Answer = "collection" },
        new("GET", "/api/v1/collections/{key}", "Library", "One collection.") { Answer = "collection" },
        new("PATCH", "/api/v1/collections/{key}", "Library", "Name or describe a collection anew. Its key stays.") { Request = "collection-change", Answer = "collection" },
        new("GET", "/api/v1/collections/{key}/documents", "Library", "The documents of a collection.") { Answer = "documents" },
        new("GET", "/api/v1/documents/{id:long}", "Library", "A document with its versions, newest first, and where each came from.") { Answer = "document" },
        new("GET", "/api/v1/documents/{id:long}/versions", "Library", "The versions of a document, newest first.") { Answer = "versions" },
        new("GET", "/api/v1/documents/{version:long}/chunks", "Library", "The chunks of a version, in order.") { Answer = "chunks" },
        new("GET", "/api/v1/documents/{version:long}/markdown", "Library", "A version as Markdown.") { Stream = "text/markdown" },
        new("GET", "/api/v1/documents/{version:long}/raw", "Library", "A version's bytes as they came.") { Stream = "application/octet-stream" },
        new("GET", "/api/v1/documents/{version:long}/original", "Library", "A web page as it came, to be framed: nothing of it runs, nothing is loaded. 404 for other formats.") { Stream = "text/html" },
        new("GET", "/api/v1/documents/{version:long}/pages/{page:int}", "Library", "A page of a PDF as a picture. 404 for other formats.") { Stream = "image/png" },
        new("GET", "/api/v1/search", "Library", "Search by words and by meaning.") { Answer = "search" },
    ];

    private static IEnumerable<ApiOperation> Uploads =>
    [
        new("POST", "/api/v1/uploads", "Uploads", "Announce a file; its bytes follow in parts.", 201) { Request = "upload-request", Required = ["path", "size"], Answer = "upload" },
        new("POST", "/api/v1/uploads/file", "Uploads", "Send a small file in one request.", 201) { Bytes = "application/octet-stream", Answer = "upload" },
        new("GET", "/api/v1/uploads", "Uploads", "The uploads of a draft.") { Answer = "uploads" },
        new("DELETE", "/api/v1/uploads", "Uploads", "Forget the uploads of a draft.") { Answer = "removed" },
        new("GET", "/api/v1/uploads/{id}", "Uploads", "How much of a file is here: go on from its offset.") { Answer = "upload" },
        new("PUT", "/api/v1/uploads/{id}", "Uploads", "Send the bytes that follow an offset.") { Bytes = "application/octet-stream", Answer = "upload" },
        new("DELETE", "/api/v1/uploads/{id}", "Uploads", "Forget an upload.", 204),
    ];

    private static ApiOperation Act(string verb, string summary) => new("POST", $"/api/v1/batches/{{id}}/{verb}", "Batches", summary) { Request = "act-request", Answer = "acted" };
}
