using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;

namespace Ingestion.Admin.Api.Reviewing;

/// <summary>One decision as a program sends it: the <c>action</c>, the <c>version</c> of the review that it saw, and what the action needs.</summary>
internal sealed record DecisionRequest(string Action, int Version)
{
    private const int Longest = 500;
    private const int MaxReason = 1000;

    // What each action takes beside action, version and reason; all but an entity's key are needed.
    private static readonly IReadOnlyDictionary<string, string[]> Takes = new Dictionary<string, string[]>
    {
        [ReviewActions.Approve] = [],
        [ReviewActions.Reject] = [],
        [ReviewActions.Unsure] = [],
        [ReviewActions.SendBack] = ["stage"],
        [ReviewActions.Pick] = ["field", "entity"],
        [ReviewActions.NewEntity] = ["field", "name", "key"],
        [ReviewActions.Merge] = ["field", "from", "into"],
        // Spellings are parted as a table's aliases are.
        [ReviewActions.Split] = ["field", "from", "spellings", "name", "key"],
        [ReviewActions.Undo] = [],
    };

    public string? Reason { get; private init; }

    public IReadOnlyDictionary<string, string> More { get; private init; } = new Dictionary<string, string>();

    /// <summary>Throws <c>invalid_option</c> where a member is missing, unknown to the action, or does not fit.</summary>
    public static DecisionRequest Read(JsonElement body)
    {
        if (!body.TryGetProperty("action", out var word)) throw Invalid($"action is missing: one of {string.Join(", ", Takes.Keys)}.");
        var action = JsonFields.Text("action", word, Longest);
        if (!Takes.TryGetValue(action, out var takes)) throw Invalid($"action must be one of {string.Join(", ", Takes.Keys)}.");
        if (!body.TryGetProperty("version", out var seen) || seen.ValueKind != JsonValueKind.Number || !seen.TryGetInt32(out var version)) throw Invalid("version must be the number that the review had when you looked at it.");
        var (reason, more) = ((string?)null, new Dictionary<string, string>());
        foreach (var member in body.EnumerateObject())
            switch (member.Name)
            {
                case "action" or "version":
                    break;
                case "reason":
                    reason = JsonFields.OptionalText("reason", member.Value, MaxReason) is { } text && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;
                    break;
                case var name when takes.Contains(name):
                    more[name] = JsonFields.Text(name, member.Value, Longest);
                    break;
                default:
                    throw Invalid($"{JsonFields.Shown(member.Name)} is not known for {action}. Known are: {string.Join(", ", ["action", "version", "reason", .. takes])}.");
            }
        foreach (var needed in takes.Where(t => t != "key"))
            if (string.IsNullOrWhiteSpace(more.GetValueOrDefault(needed))) throw Invalid($"{needed} is missing: {action} needs it.");
        if (action == ReviewActions.Reject && reason is null) throw Invalid("reason is missing: say why it is rejected.");
        return new(action, version) { Reason = reason, More = more };
    }

    public Task<ReviewResult> ApplyAsync(ReviewDesk desk, Actor actor, long review, CancellationToken ct)
    {
        actor = actor with { Reason = Reason };
        return Action switch
        {
            ReviewActions.Approve => desk.ApproveAsync(actor, review, Version, ct),
            ReviewActions.Reject => desk.RejectAsync(actor, review, Version, ct),
            ReviewActions.Unsure => desk.UnsureAsync(actor, review, Version, ct),
            ReviewActions.SendBack => desk.SendBackAsync(actor, review, Version, JsonFields.Word<Stage>("stage", More["stage"]), ct),
            ReviewActions.Pick => desk.PickAsync(actor, review, Version, More["field"], More["entity"], ct),
            ReviewActions.NewEntity => desk.NewEntityAsync(actor, review, Version, More["field"], new(Key(), More["name"].Trim()), ct),
            ReviewActions.Merge => desk.MergeAsync(actor, review, Version, More["field"], More["from"], More["into"], ct),
            ReviewActions.Split => desk.SplitAsync(actor, review, Version, More["field"], More["from"], More["spellings"].Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), Key(), More["name"].Trim(), ct),
            _ => desk.UndoAsync(actor, review, Version, ct),
        };
    }

    private string Key() => More.GetValueOrDefault("key") is { Length: > 0 } given ? given.Trim() : ReferenceTables.KeyOf(More["name"], new HashSet<string>());

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
