using System.Text.Json;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;

namespace Ingestion.Admin.Api.Families;

/// <summary>
/// Reads what <c>/batch/jobs</c> is sent. Whatever does not fit throws <c>invalid_option</c> with a sentence that begins with the
/// member's name.
/// </summary>
internal static class JobRequest
{
    private const string Known = "user_id, name, description, priority, collection, file_selections, processing_options";

    /// <summary>A job to create; it waits for its start.</summary>
    /// <param name="UserId">Whose it shall be; null for the caller's.</param>
    internal sealed record Creation(string? UserId, SubmissionRequest Submission);

    /// <summary>What a job shall do.</summary>
    internal sealed record Act(string? UserId, string Action, bool FailedOnly);

    /// <summary>Which jobs to list.</summary>
    internal sealed record Listing(string? UserId, IReadOnlyList<BatchState>? States, int Limit, int Offset);

    public static Creation ReadCreation(JsonElement body, ProcessingOptions defaults)
    {
        var (user, request, selections) = ((string?)null, new SubmissionRequest("") { AutoStart = false, Options = defaults }, (IReadOnlyList<SourceSelection>?)null);
        foreach (var (name, value) in JsonFields.Members("The body", body).Select(m => (m.Name, m.Value)))
            switch (name)
            {
                case "user_id": user = JsonFields.OptionalText(name, value, FamilyRequest.MaxName); break;
                case "name": request = request with { Name = JsonFields.Text(name, value, FamilyRequest.MaxName) }; break;
                case "description": request = request with { Description = JsonFields.OptionalText(name, value, FamilyRequest.MaxDescription) }; break;
                case "priority": request = request with { Priority = value.ValueKind == JsonValueKind.Null ? Priority.Normal : JsonFields.Word<Priority>(name, value) }; break;
                case "collection": request = request with { Collection = JsonFields.OptionalText(name, value, FamilyRequest.MaxName) ?? Collection.DefaultKey }; break;
                case "file_selections": selections = JsonFields.List(name, value, Selection); break;
                case "processing_options": request = request with { Options = ProcessingOptions.Read(value, defaults) }; break;
                default: throw FamilyRequest.Unknown(name, Known);
            }
        if (string.IsNullOrWhiteSpace(request.Name)) throw FamilyRequest.Invalid("name is missing: what people shall call the job.");
        if (selections is not { Count: > 0 }) throw FamilyRequest.Invalid("file_selections is missing: name at least one source and its files.");
        return new(user, selections.Aggregate(request, With));
    }

    public static Act ReadAct(JsonElement body)
    {
        var (user, action, failedOnly) = ((string?)null, "", true);
        foreach (var (name, value) in JsonFields.Members("The body", body).Select(m => (m.Name, m.Value)))
            switch (name)
            {
                case "user_id": user = JsonFields.OptionalText(name, value, FamilyRequest.MaxName); break;
                case "action": action = JsonFields.Text(name, value, 50); break;
                case "retry_failed_only": failedOnly = value.ValueKind == JsonValueKind.Null || JsonFields.Flag(name, value); break;
                default: throw FamilyRequest.Unknown(name, "user_id, action, retry_failed_only");
            }
        return new(user, action, failedOnly);
    }

    public static Listing ReadListing(JsonElement body)
    {
        var listing = new Listing(null, null, 10, 0);
        foreach (var (name, value) in JsonFields.Members("The body", body).Select(m => (m.Name, m.Value)))
            listing = name switch
            {
                "user_id" => listing with { UserId = JsonFields.OptionalText(name, value, FamilyRequest.MaxName) },
                "status_filter" => listing with { States = value.ValueKind == JsonValueKind.Null ? null : JsonFields.List(name, value, (n, v) => JobWords.State(n, JsonFields.Text(n, v, 50))) },
                "limit" => listing with { Limit = Number(name, value, 1, 200) },
                "offset" => listing with { Offset = Number(name, value, 0, int.MaxValue) },
                _ => throw FamilyRequest.Unknown(name, "user_id, status_filter, limit, offset"),
            };
        return listing;
    }

    private static SourceSelection Selection(string name, JsonElement value)
    {
        var selection = new SourceSelection("");
        foreach (var member in JsonFields.Members(name, value))
            selection = member.Name switch
            {
                "connection_id" => selection with { ConnectionId = JsonFields.OptionalText($"{name}.connection_id", member.Value, FamilyRequest.MaxName) },
                "source_type" => selection with { SourceType = JsonFields.Text($"{name}.source_type", member.Value, FamilyRequest.MaxName) },
                "file_ids" => selection with { FileIds = member.Value.ValueKind == JsonValueKind.Null ? null : JsonFields.List($"{name}.file_ids", member.Value, (n, v) => FileId(n, v)) },
                _ => throw FamilyRequest.Unknown($"{name}.{member.Name}", "connection_id, source_type, file_ids"),
            };
        return selection.SourceType.Length == 0 ? throw FamilyRequest.Invalid($"{name}.source_type is missing.")
            : !SourceTypes.All.Contains(selection.SourceType) ? throw FamilyRequest.Invalid($"{name}.source_type is {JsonFields.Shown(selection.SourceType)}; it must be one of {string.Join(", ", SourceTypes.All)}.")
            : selection.FileIds is { Count: 0 } ? throw FamilyRequest.Invalid($"{name}.file_ids names no file.")
            : selection.FileIds is null && (selection.SourceType is SourceTypes.Upload or SourceTypes.Url or SourceTypes.Manifest || (selection is { ConnectionId: null, SourceType: SourceTypes.Site or SourceTypes.Feed }))
                ? throw FamilyRequest.Invalid($"{name}.file_ids is missing.")
            : selection;
    }

    // What needs no connection is named by what stands for files: ids of uploads, or addresses.
    private static SubmissionRequest With(SubmissionRequest request, SourceSelection s)
    {
        JsonElement? options = request.Options.SourceSpecificOptions.TryGetValue(s.SourceType, out var own) ? own : null;
        return s.SourceType switch
        {
            SourceTypes.Upload => request with { Uploads = [.. request.Uploads, .. s.FileIds!] },
            SourceTypes.Url => request with { Urls = [.. request.Urls, .. s.FileIds!.Select(u => new UrlEntry(u))] },
            SourceTypes.Manifest when s.ConnectionId is null => request with { Manifests = [.. request.Manifests, .. s.FileIds!.Select(id => Table(id, options))] },
            SourceTypes.Site or SourceTypes.Feed when s.FileIds is not null => request with { Sources = [.. request.Sources, .. s.FileIds!.Select(address => s with { FileIds = null, Source = address, Options = options })] },
            _ => request with { Sources = [.. request.Sources, s with { Options = options }] },
        };
    }

    // Which column holds the addresses is told by its heading, unless the options say it.
    private static ManifestEntry Table(string upload, JsonElement? options)
    {
        var columns = SourceValues.Read($"source_specific_options.{SourceTypes.Manifest}", SourceKinds.Require(SourceTypes.Manifest).Options, options);
        return new(upload, columns.Text("url_column"), columns.Text("title_column") is { Length: > 0 } title ? title : null);
    }

    private static string FileId(string name, JsonElement value) =>
        JsonFields.Text(name, value, 10_000) is { Length: > 0 } id ? id : throw FamilyRequest.Invalid($"{name} is empty.");

    private static int Number(string name, JsonElement value, int least, int most) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least
            ? Math.Min(number, most)
            : throw FamilyRequest.Invalid($"{name} must be a whole number of {least} or more.");
}
