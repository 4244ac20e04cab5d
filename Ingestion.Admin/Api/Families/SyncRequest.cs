using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>The body of <c>/v1/ingest/sources/sync</c>: whose sources, and which kinds of them.</summary>
internal sealed record SyncRequest(string TenantId, IReadOnlyList<string> SourceTypes, string Collection, ProcessingOptions Options)
{
    /// <summary>Throws <c>invalid_option</c> with a sentence that begins with the member's name.</summary>
    public static SyncRequest Read(JsonElement body, ProcessingOptions defaults)
    {
        var request = new SyncRequest("", [], Core.Data.Collection.DefaultKey, defaults);
        foreach (var (name, value) in JsonFields.Members("The body", body).Select(m => (m.Name, m.Value)))
            request = name switch
            {
                "tenant_id" => request with { TenantId = JsonFields.Text(name, value, 100) },
                "source_types" => request with { SourceTypes = JsonFields.List(name, value, Kind) },
                "collection" => request with { Collection = JsonFields.Text(name, value, 200) },
                "options" => request with { Options = ProcessingOptions.Read(value, defaults) },
                _ => throw Invalid($"{JsonFields.Shown(name)} is not known here. Known are: tenant_id, source_types, collection, options."),
            };
        if (request.TenantId.Length == 0) throw Invalid("tenant_id is missing: whose sources to sync.");
        return request.SourceTypes.Count > 0 ? request with { SourceTypes = [.. request.SourceTypes.Distinct()] } : throw Invalid($"source_types is missing: one or more of {Known}.");
    }

    private static string Known => string.Join(", ", SyncSources.Kinds);

    private static string Kind(string name, JsonElement value) =>
        JsonFields.Text(name, value, 100) is var kind && SyncSources.Kinds.Contains(kind) ? kind : throw Invalid($"{name}: there is no source type {JsonFields.Shown(kind)}. Known are: {Known}.");

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
