namespace Ingestion.Admin.OpenApi;

/// <summary>What waits for people, records and reference lists.</summary>
internal static partial class ApiOperations
{
    private const string ReviewTag = "Review";
    private const string OfCollection = "/api/v1/review/collections/{key}";
    private const string OfRules = "/api/v1/review/rules";
    private const string OfLists = $"{OfCollection}/lists";

    private static IEnumerable<ApiOperation> Review =>
    [
        new("GET", "/api/v1/review", ReviewTag, "What waits for people, or was decided, filtered and sorted.") { Answer = "reviews" },
        new("GET", "/api/v1/review/counts", ReviewTag, "How many reviews a filter finds, by reason.") { Answer = "review-counts" },
        new("GET", "/api/v1/review/export", ReviewTag, "Everything that a filter finds, with fields, decisions and where it came from, as csv, xlsx, json or jsonl.") { Stream = "text/csv" },
        new("POST", "/api/v1/review/import", ReviewTag, "Take decisions that were written into an exported csv. Only with dry_run=false are they decided; the report has a line for each.") { Bytes = "text/csv", Answer = "review-imported" },
        new("GET", "/api/v1/review/{id:long}", ReviewTag, "One review: fields with their sources and candidates, quality, and every decision.") { Answer = "review" },
        new("POST", "/api/v1/review/{id:long}/decide", ReviewTag, "Approve, reject, be unsure, send back, choose, make or merge entities, or take the last decision back. 409 tells what somebody else did since.")
        {
            Request = "review-decide", Required = ["action", "version"], Answer = "review-decided",
        },
        new("POST", "/api/v1/review/assign", ReviewTag, "Say who is to decide the open reviews that a filter finds: an account, me, or null for nobody in particular.")
        {
            Request = "review-assign", Required = ["filter", "to"], Answer = "review-assigned",
        },
        new("GET", "/api/v1/review/bulk", ReviewTag, "Decisions over filters, newest first.") { Answer = "review-bulks" },
        new("POST", "/api/v1/review/bulk", ReviewTag, "Approve or reject everything that a filter finds, as a job; with dry_run only what it would be (200).", 202)
        {
            Request = "review-bulk-request", Required = ["action", "filter"], Answer = "review-bulk",
        },
        new("GET", "/api/v1/review/bulk/{id}", ReviewTag, "How far a decision over a filter is.") { Answer = "review-bulk" },
        new("GET", OfCollection, ReviewTag, "What the documents of a collection are records of, its lists, and what passes without a person.") { Answer = "review-collection" },
        new("PATCH", OfCollection, ReviewTag, "Let rows of manifests that are sure enough pass without a person, or have each one reviewed.") { Request = "auto-accept", Required = ["auto_accept"], Answer = "review-collection" },
        new("PUT", $"{OfCollection}/record-type", ReviewTag, "Set what documents of a collection are records of.") { Request = "record-type", Required = ["name", "fields"], Answer = "review-collection" },
        new("DELETE", $"{OfCollection}/record-type", ReviewTag, "Make them documents and nothing else again.", 204),
        new("GET", $"{OfCollection}/record-type/versions", ReviewTag, "Every record type that the collection had, newest first.") { Answer = "record-type-versions" },
        new("GET", OfLists, ReviewTag, "The reference lists of a collection.") { Answer = "reference-lists" },
        new("GET", $"{OfLists}/{{type}}", ReviewTag, "The entities of a list, of its newest version or another.") { Answer = "reference-list" },
        new("PUT", $"{OfLists}/{{type}}", ReviewTag, "Make a list hold exactly these entities: the next version.") { Request = "reference-entities", Bytes = "text/csv", Answer = "reference-loaded" },
        new("GET", $"{OfLists}/{{type}}/versions", ReviewTag, "The versions of a list, newest first, with what each changed.") { Answer = "reference-versions" },
        new("POST", $"{OfLists}/{{type}}/aliases", ReviewTag, "Give entities of a list more spellings: the next version.") { Request = "reference-aliases", Bytes = "text/csv", Answer = "reference-aliased" },
        new("GET", OfRules, ReviewTag, "Rules learnt from decisions, newest first, with how often each is wrong.") { Answer = "rules" },
        new("POST", OfRules, ReviewTag, "Make a rule of an entity that was picked. It acts once it is started.", 201) { Request = "rule-request", Required = ["review", "field", "kind"], Answer = "rule" },
        new("GET", $"{OfRules}/{{id:long}}", ReviewTag, "One rule with its history.") { Answer = "rule" },
        new("GET", $"{OfRules}/{{id:long}}/trial", ReviewTag, "What a rule would do: the open reviews it would change, and how it would have judged past decisions.") { Answer = "rule-trial" },
        new("POST", $"{OfRules}/{{id:long}}/start", ReviewTag, "Switch a rule on.") { Request = "rule-start", Required = ["version"], Answer = "rule-changed" },
        new("POST", $"{OfRules}/{{id:long}}/stop", ReviewTag, "Switch a rule off, and take back what it did to its list.") { Request = "rule-stop", Required = ["version"], Answer = "rule-changed" },
    ];
}
