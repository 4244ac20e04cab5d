using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api;

/// <summary>The body of an act: which documents are meant, why, and what the act needs besides. An empty one means the whole batch.</summary>
internal sealed record ActRequest
{
    private const int MaxReason = 1000;

    /// <summary>Only these; null where they are not named.</summary>
    public IReadOnlyList<long>? Items { get; private init; }

    /// <summary>Whatever matches; null where nothing is asked for.</summary>
    public ItemFilter? Filter { get; private init; }

    /// <summary>Why, for the log and the audit.</summary>
    public string? Reason { get; private init; }

    /// <summary>The batch's options with what the caller named laid over; null keeps them.</summary>
    public ProcessingOptions? Options { get; private init; }

    public bool FailedOnly { get; private init; } = true;

    /// <summary>With a deleted batch also the documents that only it published.</summary>
    public bool RemoveDocuments { get; private init; }

    /// <param name="known">Members that the act takes; any other is refused, because it was meant to do something.</param>
    public static ActRequest Read(JsonElement body, IReadOnlyList<string> known, BatchView batch)
    {
        var request = new ActRequest();
        foreach (var (name, value) in JsonFields.Members("The body", body).Select(m => (m.Name, m.Value)))
        {
            if (!known.Contains(name)) throw Invalid($"{JsonFields.Shown(name)} is not known here. Known are: {string.Join(", ", known)}.");
            request = name switch
            {
                "items" => request with { Items = value.ValueKind == JsonValueKind.Null ? null : JsonFields.List(name, value, JsonFields.Id) },
                "filter" => request with { Filter = value.ValueKind == JsonValueKind.Null ? null : FilterOf(value) },
                "reason" => request with { Reason = JsonFields.OptionalText(name, value, MaxReason) is { } reason && !string.IsNullOrWhiteSpace(reason) ? reason.Trim() : null },
                "options" => request with { Options = ProcessingOptions.Read(value, ProcessingOptions.Read(JsonSerializer.Deserialize<JsonElement>(batch.Options), new())) },
                "failed_only" => request with { FailedOnly = JsonFields.Flag(name, value) },
                _ => request with { RemoveDocuments = JsonFields.Flag(name, value) },
            };
        }

        return request is { Items: not null, Filter: not null } ? throw Invalid("Name items or a filter, not both.") : request;
    }

    private static ItemFilter FilterOf(JsonElement value)
    {
        const int longest = 500;
        var filter = new ItemFilter();
        foreach (var member in JsonFields.Members("filter", value))
            filter = member.Name switch
            {
                "state" => filter with { States = member.Value.ValueKind == JsonValueKind.Array ? JsonFields.List("filter.state", member.Value, JsonFields.Word<ItemState>) : [JsonFields.Word<ItemState>("filter.state", member.Value)] },
                "stage" => filter with { Stage = JsonFields.Word<Stage>("filter.stage", member.Value) },
                "code" => filter with { ErrorCode = JsonFields.Text("filter.code", member.Value, longest) },
                "host" => filter with { Host = JsonFields.Text("filter.host", member.Value, longest) },
                "fingerprint" => filter with { Fingerprint = JsonFields.Text("filter.fingerprint", member.Value, longest) },
                "q" => filter with { Text = JsonFields.Text("filter.q", member.Value, longest) },
                _ => throw Invalid($"filter.{JsonFields.Shown(member.Name)} is not known here. Known are: state, stage, code, host, fingerprint, q."),
            };
        return filter;
    }

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
