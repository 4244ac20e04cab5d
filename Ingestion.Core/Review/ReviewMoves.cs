using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Npgsql;

namespace Ingestion.Core.Review;

/// <summary>What a decision changes, as it stood: what taking it back restores.</summary>
/// <param name="List">The reference list that the decision changed; null for none.</param>
/// <param name="ListVersion">The version that the change made.</param>
/// <param name="Added">The key of the entity that was made.</param>
/// <param name="Entities">Entities as they were before they were merged, or one was split.</param>
/// <param name="Unsure">The mark that was there.</param>
internal sealed record DecisionBefore(
    [property: JsonPropertyName("fields")] JsonElement Fields, [property: JsonPropertyName("confidence")] double? Confidence, [property: JsonPropertyName("document_version")] long? DocumentVersion,
    [property: JsonPropertyName("list")] long? List = null, [property: JsonPropertyName("list_version")] int? ListVersion = null, [property: JsonPropertyName("added")] string? Added = null,
    [property: JsonPropertyName("entities")] IReadOnlyList<ReferenceEntity>? Entities = null, [property: JsonPropertyName("unsure")] UnsureMark? Unsure = null)
{
    public static DecisionBefore Of(HeldReview review, double? confidence) => new(JsonDocument.Parse(review.Fields).RootElement.Clone(), confidence, review.DocumentVersionId, Unsure: review.Unsure);

    public string ToJson() => JsonSerializer.Serialize(this);

    public static DecisionBefore Parse(string json) => JsonSerializer.Deserialize<DecisionBefore>(json)!;
}

/// <summary>
/// The ways a decision moves documents, for one or for many of a batch alike. Everything stands in the caller's transaction, which holds reviews and
/// batch; the events are returned, to be written last.
/// </summary>
internal static class ReviewMoves
{
    /// <summary>On to embedding.</summary>
    public static async Task<List<NewEvent>> ApproveAsync(NpgsqlConnection connection, Actor actor, BatchRow batch, IReadOnlyList<HeldReview> held, long? bulk, CancellationToken ct)
    {
        await EndAsync(connection, actor, ReviewActions.Approve, ReviewStates.Approved, held, "{}", bulk, ct);
        await ReviewRows.OpenTasksAsync(connection, held.Select(h => h.ItemId), Stage.Embed, ct);
        await BatchCompletion.ThawAsync(connection, batch, ct);
        return Events(actor, ReviewActions.Approve, held, _ => []);
    }

    /// <summary>To its end, with nothing of it to be found.</summary>
    public static async Task<List<NewEvent>> RejectAsync(NpgsqlConnection connection, Actor actor, IReadOnlyList<HeldReview> held, long? bulk, CancellationToken ct)
    {
        await EndAsync(connection, actor, ReviewActions.Reject, ReviewStates.Rejected, held, "{}", bulk, ct);
        await ItemMoves.RejectAsync(connection, [.. held.Select(h => h.ItemId)], actor.Reason ?? ErrorCodes.Rejected.Remedy, ct);
        var data = ActData.Json(actor);
        return Events(actor, ReviewActions.Reject, held, h => [new(EventKinds.ItemRejected, h.ItemId, Data: data)]);
    }

    /// <summary>Back to an earlier stage, and from there on as before.</summary>
    public static async Task<List<NewEvent>> SendBackAsync(NpgsqlConnection connection, Actor actor, BatchRow batch, HeldReview held, Stage to, CancellationToken ct)
    {
        await EndAsync(connection, actor, ReviewActions.SendBack, ReviewStates.SentBack, [held], $$"""{"stage":"{{to.Word()}}"}""", null, ct);
        await ReviewRows.OpenTasksAsync(connection, [held.ItemId], to, ct);
        await BatchCompletion.ThawAsync(connection, batch, ct);
        return Events(actor, ReviewActions.SendBack, [held], h => [new(EventKinds.ItemRetried, h.ItemId, null, to.Word())]);
    }

    /// <summary>The fact of a decision that moved nothing.</summary>
    public static NewEvent Decided(Actor actor, string action, long item, string? field = null, string? entity = null)
    {
        var data = JsonNode.Parse(ActData.Json(actor))!.AsObject();
        data["action"] = action;
        if (field is not null) data["field"] = field;
        if (entity is not null) data["entity"] = entity;
        return new(EventKinds.ReviewDecided, item, null, Stage.Review.Word(), data.ToJsonString());
    }

    private static async Task EndAsync(NpgsqlConnection connection, Actor actor, string action, string state, IReadOnlyList<HeldReview> held, string chosen, long? bulk, CancellationToken ct)
    {
        await ReviewRows.EndTasksAsync(connection, held, ct);
        await ReviewRows.SetStateAsync(connection, held.Select(h => h.Id), state, actor.Name, actor.Reason, ct);
        await ReviewRows.RecordAsync(connection, actor, action, [.. held.Select(h => new NewDecision(h.Id, DecisionBefore.Of(h, h.Confidence).ToJson(), chosen))], bulk, ct);
    }

    private static List<NewEvent> Events(Actor actor, string action, IReadOnlyList<HeldReview> held, Func<HeldReview, IEnumerable<NewEvent>> more)
    {
        var events = new List<NewEvent>();
        foreach (var h in held)
        {
            events.Add(new(EventKinds.StageDone, h.ItemId, h.Task, Stage.Review.Word()));
            events.Add(Decided(actor, action, h.ItemId));
            events.AddRange(more(h));
        }
        return events;
    }
}
