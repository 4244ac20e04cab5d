namespace Ingestion.Admin.OpenApi;

/// <summary>Who may do what, and the installation.</summary>
internal static partial class ApiOperations
{
    private const string AccessTag = "Access";
    private const string Installation = "Installation";

    private static IEnumerable<ApiOperation> Access =>
    [
        new("GET", "/api/v1/me", AccessTag, "Who the caller is and what the caller may do.") { Answer = "me" },
        new("POST", "/api/v1/me/tenant", AccessTag, "Work in another tenant of one's own: for browsers.", 204) { Request = "tenant-switch", Required = ["tenant"] },
        new("POST", "/api/v1/me/passkeys/options", AccessTag, "What a browser needs to make a passkey.") { Answer = "passkey-options" },
        new("POST", "/api/v1/me/passkeys", AccessTag, "Keep the passkey that a browser made.", 204) { Request = "passkey" },
        new("GET", "/api/v1/keys", AccessTag, "API keys; never the keys themselves.") { Answer = "keys" },
        new("POST", "/api/v1/keys", AccessTag, "Make an API key. It is shown this once.", 201) { Request = "key-request", Required = ["name"], Answer = "key" },
        new("DELETE", "/api/v1/keys/{id}", AccessTag, "End an API key at once.", 204),
        new("GET", "/api/v1/sessions", AccessTag, "Signed-in browsers.") { Answer = "sessions" },
        new("DELETE", "/api/v1/sessions/{id}", AccessTag, "Sign a browser out.", 204),
        new("GET", "/api/v1/users", AccessTag, "The people of the tenant.") { Answer = "users" },
        new("PUT", "/api/v1/users/{id}", AccessTag, "Give a person another role or reach.") { Request = "user-change", Answer = "message" },
        new("DELETE", "/api/v1/users/{id}", AccessTag, "Take a person out of the tenant.") { Answer = "message" },
        new("POST", "/api/v1/users/{id}/disable", AccessTag, "Shut a person out of the installation.") { Answer = "message" },
        new("POST", "/api/v1/users/{id}/enable", AccessTag, "Let a person in again.") { Answer = "message" },
        new("GET", "/api/v1/invitations", AccessTag, "Invitations that nobody has used.") { Answer = "invitations" },
        new("POST", "/api/v1/invitations", AccessTag, "Invite a person. The link is shown this once.", 201) { Request = "invitation-request", Required = ["name"], Answer = "invitation" },
        new("DELETE", "/api/v1/invitations/{id}", AccessTag, "Withdraw an invitation.", 204),
        new("GET", "/api/v1/audit", AccessTag, "Who asked for what.") { Answer = "audit" },
        new("GET", "/api/v1/audit/export", AccessTag, "The audit log as csv or json.") { Stream = "text/csv" },
        new("GET", "/api/v1/secrets", AccessTag, "Names of secrets; never their values.") { Answer = "secrets" },
        new("PUT", "/api/v1/secrets/{**name}", AccessTag, "Keep a secret, sealed.", 204) { Request = "secret", Required = ["value"] },
        new("DELETE", "/api/v1/secrets/{**name}", AccessTag, "Forget a secret.", 204),
    ];

    private static IEnumerable<ApiOperation> Operations =>
    [
        new("GET", "/api/v1/tenants", Installation, "The tenants of the installation.") { Answer = "tenants" },
        new("POST", "/api/v1/tenants", Installation, "Make a tenant.", 201) { Request = "tenant", Required = ["id", "name"], Answer = "tenant" },
        new("POST", "/api/v1/tenants/{id}/disable", Installation, "Shut a tenant out.", 204),
        new("POST", "/api/v1/tenants/{id}/enable", Installation, "Let a tenant in again.", 204),
        new("GET", "/api/v1/workers", Installation, "Who works on this database, what waits for each stage, and the duties.") { Answer = "workers" },
        new("GET", "/api/v1/verify", Installation, "Recount that nothing is lost and nothing is doubled.") { Answer = "verify" },
        new("GET", "/health", Installation, "Whether work can be done, and if not, why.") { Answer = "health" },
        new("GET", "/health/live", Installation, "Whether the process lives.") { Answer = "live" },
        new("GET", "/openapi/v1.json", Installation, "This document.") { Stream = "application/json" },
    ];
}
