using Ingestion.Core.Access;

namespace Ingestion.Admin.Access;

/// <summary>What is counted and limited for each caller.</summary>
internal enum Limit { None, Batches, Uploads, Searches, Sockets }

/// <summary>Who may use a route.</summary>
/// <param name="Methods">Separated by spaces; <c>PAGE</c> for a page, whose GET is meant and every click on it.</param>
/// <param name="Pattern">As the route says it.</param>
/// <param name="Needs">What the caller must be allowed; null for anybody at all.</param>
/// <param name="Limit">What a request counts as.</param>
internal sealed record RouteRule(string Methods, string Pattern, Permission? Needs, Limit Limit = Limit.None)
{
    public const string Page = "PAGE";

    public bool IsPage => Methods == Page;

    public bool Covers(string method) => IsPage ? HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsPost(method) : Methods.Split(' ').Contains(method) || (HttpMethods.IsHead(method) && Methods.Contains("GET", StringComparison.Ordinal));
}

/// <summary>
/// Every page and every endpoint with what it needs: the one table that decides. A route without a row is refused to everybody, and a test
/// fails; docs/access.md is checked against it.
/// </summary>
internal static class RouteRules
{
    public static readonly IReadOnlyList<RouteRule> All =
    [
        // getting in
        new(RouteRule.Page, "/sign-in", null),
        new("POST", "/sign-in/passkey/options", null),
        new("POST", "/sign-in/passkey", null),
        new("GET", "/sign-in/provider", null),
        new(RouteRule.Page, "/invite", null),
        new("POST", "/sign-out", Permission.Read),
        new(RouteRule.Page, "/welcome", Permission.Read),

        // pages
        new(RouteRule.Page, "/", Permission.Read),
        new(RouteRule.Page, "/batches", Permission.Read),
        new(RouteRule.Page, "/batches/{PublicId}", Permission.Read),
        new(RouteRule.Page, "/batches/{PublicId}/{Tab}", Permission.Read),
        new(RouteRule.Page, "/batches/{PublicId}/items/{ItemId:long}", Permission.Read),
        new(RouteRule.Page, "/batches/{PublicId}/items/{ItemId:long}/{Tab}", Permission.Read),
        new(RouteRule.Page, "/new", Permission.Ingest),
        new(RouteRule.Page, "/new/{PublicId}", Permission.Ingest),
        new(RouteRule.Page, "/review", Permission.Read),
        new(RouteRule.Page, "/review/{Id:long}", Permission.Read),
        new(RouteRule.Page, "/collections", Permission.Read),
        new(RouteRule.Page, "/collections/{Key}", Permission.Read),
        new(RouteRule.Page, "/connections", Permission.Read),
        new(RouteRule.Page, "/connections/new", Permission.Administer),
        new(RouteRule.Page, "/connections/{Key}", Permission.Read),
        new(RouteRule.Page, "/connections/{Key}/{Tab}", Permission.Read),
        new(RouteRule.Page, "/hosts", Permission.Read),
        new(RouteRule.Page, "/hosts/{Host}", Permission.Read),
        new(RouteRule.Page, "/documents/{Id:long}", Permission.Read),
        new(RouteRule.Page, "/documents/{Id:long}/{Tab}", Permission.Read),
        new(RouteRule.Page, "/search", Permission.Read),
        new(RouteRule.Page, "/account", Permission.Read),
        new(RouteRule.Page, "/keys", Permission.Read),
        new(RouteRule.Page, "/sessions", Permission.Read),
        new(RouteRule.Page, "/users", Permission.Administer),
        new(RouteRule.Page, "/secrets", Permission.Administer),
        new(RouteRule.Page, "/audit", Permission.Administer),
        new(RouteRule.Page, "/webhooks", Permission.Administer),
        new(RouteRule.Page, "/webhooks/{Id}", Permission.Administer),
        new(RouteRule.Page, "/tenants", Permission.Install),
        new(RouteRule.Page, "/workers", Permission.Install),
        new(RouteRule.Page, "/self-check", Permission.Install),
        new(RouteRule.Page, "/settings", Permission.Install),
        new(RouteRule.Page, "/api-reference", Permission.Read),
        new(RouteRule.Page, "/not-found", Permission.Read),
        new(RouteRule.Page, "/error", null),

        // what pages are made of
        new("GET POST", "_blazor", Permission.Read, Limit.Sockets),
        new("GET POST", "_blazor/negotiate", Permission.Read),
        new("GET POST", "_blazor/disconnect", Permission.Read),
        new("GET", "_blazor/initializers", Permission.Read),
        new("GET", "_framework/opaque-redirect", null),

        // health
        new("GET", "/health", null),
        new("GET", "/health/live", null),
        new("GET", "/metrics", Permission.Observe),
        new("GET", "/openapi/v1.json", null),

        // batches
        new("POST", "/api/v1/batches", Permission.Ingest, Limit.Batches),
        new("GET", "/api/v1/batches", Permission.Read),
        new("GET", "/api/v1/batches/{id}", Permission.Read),
        new("GET", "/api/v1/batches/{id}/items", Permission.Read),
        new("GET", "/api/v1/batches/{id}/items/{item:long}", Permission.Read),
        new("GET", "/api/v1/batches/{id}/failures", Permission.Read),
        new("GET", "/api/v1/batches/{id}/events", Permission.Read),
        new("GET", "/api/v1/batches/{id}/waiting", Permission.Read),
        new("GET", "/api/v1/batches/{id}/stream", Permission.Read, Limit.Sockets),
        new("POST", "/api/v1/batches/{id}/start", Permission.Ingest),
        new("POST", "/api/v1/batches/{id}/pause", Permission.Ingest),
        new("POST", "/api/v1/batches/{id}/resume", Permission.Ingest),
        new("POST", "/api/v1/batches/{id}/cancel", Permission.Ingest),
        new("POST", "/api/v1/batches/{id}/try-now", Permission.Ingest),
        new("POST", "/api/v1/batches/{id}/retry", Permission.Ingest),
        new("POST", "/api/v1/batches/{id}/delete", Permission.Ingest),
        new("DELETE", "/api/v1/batches/{id}", Permission.Ingest),
        new("GET", "/api/v1/drafts/{batch}/addresses", Permission.Ingest),
        new("PUT", "/api/v1/drafts/{batch}/addresses", Permission.Ingest, Limit.Uploads),

        // jobs and bulk submissions, in the words of their own clients
        new("POST", "/batch/jobs", Permission.Ingest, Limit.Batches),
        new("POST", "/batch/jobs/list", Permission.Read),
        new("GET", "/batch/jobs/{job_id}", Permission.Read),
        new("POST", "/batch/jobs/{job_id}/control", Permission.Ingest),
        new("GET", "/batch/statistics", Permission.Read),
        new("GET", "/batch/ws/{user_id}", Permission.Read, Limit.Sockets),
        new("POST", "/ingest/bulk", Permission.Ingest, Limit.Batches),
        new("GET", "/ingest/jobs/{id}", Permission.Read),
        new("GET", "/ingest/jobs/{id}/stream", Permission.Read, Limit.Sockets),

        // sources
        new("GET", "/api/v1/source-kinds", Permission.Read),
        new("GET", "/api/v1/connections", Permission.Read),
        new("POST", "/api/v1/connections", Permission.Administer),
        new("GET", "/api/v1/connections/{id}", Permission.Read),
        new("PUT DELETE", "/api/v1/connections/{id}", Permission.Administer),
        new("POST", "/api/v1/connections/{id}/test", Permission.Administer),
        new("PUT DELETE", "/api/v1/connections/{id}/schedule", Permission.Administer),
        new("POST", "/api/v1/connections/{id}/sync", Permission.Ingest, Limit.Batches),
        new("GET", "/api/v1/connections/{id}/runs", Permission.Read),
        new("GET", "/api/v1/connections/{id}/gone", Permission.Read),
        new("POST", "/api/v1/connections/{id}/gone/remove", Permission.Ingest),
        new("GET", "/api/v1/hosts", Permission.Read),
        new("GET", "/api/v1/hosts/{host}", Permission.Read),
        new("PUT DELETE", "/api/v1/hosts/{host}/budget", Permission.Administer),
        new("GET", "/api/v1/batches/{id}/dead-links", Permission.Read),
        new("POST", "/api/v1/firecrawl/events", null),

        // uploads
        new("POST", "/api/v1/uploads", Permission.Ingest, Limit.Uploads),
        new("GET DELETE", "/api/v1/uploads", Permission.Ingest),
        new("POST", "/api/v1/uploads/file", Permission.Ingest, Limit.Uploads),
        new("GET DELETE", "/api/v1/uploads/{id}", Permission.Ingest),
        new("PUT", "/api/v1/uploads/{id}", Permission.Ingest, Limit.Uploads),

        // documents and search
        new("GET", "/api/v1/collections", Permission.Read),
        new("POST", "/api/v1/collections", Permission.Ingest, Limit.Batches),
        new("GET", "/api/v1/collections/{key}", Permission.Read),
        new("PATCH", "/api/v1/collections/{key}", Permission.Ingest),
        new("GET", "/api/v1/collections/{key}/documents", Permission.Read),
        new("GET", "/api/v1/documents/{id:long}", Permission.Read),
        new("GET", "/api/v1/documents/{id:long}/versions", Permission.Read),
        new("GET", "/api/v1/documents/{version:long}/chunks", Permission.Read),
        new("GET", "/api/v1/documents/{version:long}/markdown", Permission.Read),
        new("GET", "/api/v1/documents/{version:long}/raw", Permission.Read),
        new("GET", "/api/v1/documents/{version:long}/original", Permission.Read),
        new("GET", "/api/v1/documents/{version:long}/pages/{page:int}", Permission.Read),
        new("GET", "/api/v1/search", Permission.Read, Limit.Searches),

        // review
        new("GET", "/api/v1/review", Permission.Read),
        new("GET", "/api/v1/review/counts", Permission.Read),
        new("GET", "/api/v1/review/export", Permission.Read),
        new("POST", "/api/v1/review/import", Permission.Review, Limit.Uploads),
        new("GET", "/api/v1/review/{id:long}", Permission.Read),
        new("POST", "/api/v1/review/{id:long}/decide", Permission.Review),
        new("POST", "/api/v1/review/assign", Permission.Review),
        new("GET", "/api/v1/review/bulk", Permission.Read),
        new("POST", "/api/v1/review/bulk", Permission.Review, Limit.Batches),
        new("GET", "/api/v1/review/bulk/{id}", Permission.Read),
        new("GET", "/api/v1/review/collections/{key}", Permission.Read),
        new("PATCH", "/api/v1/review/collections/{key}", Permission.Review),
        new("PUT DELETE", "/api/v1/review/collections/{key}/record-type", Permission.Review),
        new("GET", "/api/v1/review/collections/{key}/record-type/versions", Permission.Read),
        new("GET", "/api/v1/review/collections/{key}/lists", Permission.Read),
        new("GET", "/api/v1/review/collections/{key}/lists/{type}", Permission.Read),
        new("PUT", "/api/v1/review/collections/{key}/lists/{type}", Permission.Review, Limit.Uploads),
        new("GET", "/api/v1/review/collections/{key}/lists/{type}/versions", Permission.Read),
        new("POST", "/api/v1/review/collections/{key}/lists/{type}/aliases", Permission.Review, Limit.Uploads),
        new("GET", "/api/v1/review/rules", Permission.Read),
        new("POST", "/api/v1/review/rules", Permission.Review, Limit.Batches),
        new("GET", "/api/v1/review/rules/{id:long}", Permission.Read),
        new("GET", "/api/v1/review/rules/{id:long}/trial", Permission.Read, Limit.Searches),
        new("POST", "/api/v1/review/rules/{id:long}/start", Permission.Review),
        new("POST", "/api/v1/review/rules/{id:long}/stop", Permission.Review),

        // documents one by one, each a job with a number
        new("POST", "/ingest-file", Permission.Ingest, Limit.Uploads),
        new("POST", "/ingest-url", Permission.Ingest, Limit.Batches),
        new("POST", "/ingest-base", Permission.Ingest, Limit.Batches),
        new("GET", "/config/ingestion", Permission.Read),
        new("GET", "/collections/{collection_id}/ingestion-jobs", Permission.Read),
        new("GET", "/collections/{collection_id}/ingestion-jobs/{job_id:long}", Permission.Read),
        new("POST", "/collections/{collection_id}/ingestion-jobs/{job_id:long}/retry", Permission.Ingest),
        new("POST", "/collections/{collection_id}/ingestion-jobs/{job_id:long}/cancel", Permission.Ingest),
        new("GET", "/collections/{collection_id}/ingestion-status", Permission.Read),

        // runs over sources
        new("POST", "/v1/ingest/sources/sync", Permission.Ingest, Limit.Batches),
        new("POST", "/v1/ingest/files/upload", Permission.Ingest, Limit.Uploads),
        new("GET", "/v1/ingest/jobs/{job_id}", Permission.Read),
        new("GET", "/v1/jobs/{job_id}", Permission.Read),

        // bulk imports from manifests
        new("POST", "/v1/admin/bulk-import/batches", Permission.Ingest, Limit.Batches),
        new("GET", "/v1/admin/bulk-import/batches", Permission.Read),
        new("GET", "/v1/admin/bulk-import/batches/{id}", Permission.Read),
        new("GET", "/v1/admin/bulk-import/batches/{id}/jobs", Permission.Read),
        new("GET", "/v1/admin/bulk-import/batches/{id}/tasks", Permission.Read),
        new("GET", "/v1/admin/bulk-import/batches/{id}/events", Permission.Read),
        new("GET", "/v1/admin/bulk-import/batches/{id}/export", Permission.Read),
        new("POST", "/v1/admin/bulk-import/batches/{id}/pause", Permission.Ingest),
        new("POST", "/v1/admin/bulk-import/batches/{id}/resume", Permission.Ingest),
        new("POST", "/v1/admin/bulk-import/batches/{id}/cancel", Permission.Ingest),
        new("POST", "/v1/admin/bulk-import/batches/{id}/retry", Permission.Ingest),
        new("POST", "/v1/admin/bulk-import/batches/{id}/approve-all", Permission.Review, Limit.Batches),
        new("POST", "/v1/admin/bulk-import/batches/{id}/reject-all", Permission.Review, Limit.Batches),
        new("POST", "/v1/admin/imports/bulk-review", Permission.Review, Limit.Batches),

        // the caller's own
        new("GET", "/api/v1/me", Permission.Read),
        new("POST", "/api/v1/me/tenant", Permission.Read),
        new("POST", "/api/v1/me/passkeys/options", Permission.Read),
        new("POST", "/api/v1/me/passkeys", Permission.Read),
        new("GET", "/api/v1/keys", Permission.Read),
        new("POST", "/api/v1/keys", Permission.Read, Limit.Batches),
        new("DELETE", "/api/v1/keys/{id}", Permission.Read),
        new("GET", "/api/v1/sessions", Permission.Read),
        new("DELETE", "/api/v1/sessions/{id}", Permission.Read),

        // a tenant's administrators
        new("GET", "/api/v1/users", Permission.Administer),
        new("PUT", "/api/v1/users/{id}", Permission.Administer),
        new("DELETE", "/api/v1/users/{id}", Permission.Administer),
        new("GET POST", "/api/v1/invitations", Permission.Administer),
        new("DELETE", "/api/v1/invitations/{id}", Permission.Administer),
        new("GET", "/api/v1/audit", Permission.Administer),
        new("GET", "/api/v1/audit/export", Permission.Administer),
        new("GET", "/api/v1/secrets", Permission.Administer),
        new("PUT DELETE", "/api/v1/secrets/{**name}", Permission.Administer),
        new("GET", "/api/v1/webhooks", Permission.Administer),
        new("POST", "/api/v1/webhooks", Permission.Administer, Limit.Batches),
        new("GET DELETE", "/api/v1/webhooks/{id}", Permission.Administer),
        new("POST", "/api/v1/webhooks/{id}/disable", Permission.Administer),
        new("POST", "/api/v1/webhooks/{id}/enable", Permission.Administer),
        new("POST", "/api/v1/webhooks/{id}/rotate", Permission.Administer),
        new("POST", "/api/v1/webhooks/{id}/test", Permission.Administer, Limit.Batches),
        new("GET", "/api/v1/webhooks/{id}/deliveries", Permission.Administer),
        new("GET", "/api/v1/webhooks/{id}/deliveries/{delivery}", Permission.Administer),
        new("POST", "/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver", Permission.Administer, Limit.Batches),

        // the installation's owner
        new("POST", "/api/v1/users/{id}/disable", Permission.Install),
        new("POST", "/api/v1/users/{id}/enable", Permission.Install),
        new("GET POST", "/api/v1/tenants", Permission.Install),
        new("POST", "/api/v1/tenants/{id}/disable", Permission.Install),
        new("POST", "/api/v1/tenants/{id}/enable", Permission.Install),
        new("GET", "/api/v1/workers", Permission.Install),
        new("GET", "/api/v1/verify", Permission.Install),
    ];

    private static readonly ILookup<string, RouteRule> ByPattern = All.ToLookup(r => Normal(r.Pattern), StringComparer.OrdinalIgnoreCase);

    /// <summary>The rule of a route; null where it has none.</summary>
    public static RouteRule? Find(string? pattern, string method) => pattern is null ? null : ByPattern[Normal(pattern)].FirstOrDefault(r => r.Covers(method));

    /// <summary>The rule of a page, by its component; null where it has none.</summary>
    public static RouteRule? OfPage(Type page) => page.GetCustomAttributes(typeof(Microsoft.AspNetCore.Components.RouteAttribute), inherit: false)
        .Cast<Microsoft.AspNetCore.Components.RouteAttribute>()
        .Select(r => ByPattern[Normal(r.Template)].FirstOrDefault(rule => rule.IsPage)).OfType<RouteRule>().FirstOrDefault();

    private static string Normal(string pattern) => "/" + pattern.Trim('/');
}
