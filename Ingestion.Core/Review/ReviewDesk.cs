using Ingestion.Core.Data;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Npgsql;

namespace Ingestion.Core.Review;

/// <summary>How an attempt to decide ended.</summary>
public enum ReviewOutcome
{
    Done,
    /// <summary>There is no such review in the actor's reach.</summary>
    NotFound,
    /// <summary>Somebody decided since the actor looked.</summary>
    Conflict,
    /// <summary>It cannot be decided so; the message says why.</summary>
    Refused,
}

/// <summary>What came of a decision; nothing was changed unless it is done.</summary>
/// <param name="Message">A sentence for the person who asked.</param>
/// <param name="Version">The review's fence afterwards; null where there is no such review.</param>
public sealed record ReviewResult(ReviewOutcome Outcome, string Message, int? Version = null);

/// <summary>
/// Where people decide. Each decision names the version of the review that the person saw: of two who decide one item the second is told what the
/// first did. Each is an event and an audit entry, moves the document in the same transaction, and can be taken back.
/// </summary>
public sealed class ReviewDesk(Database database, Hints hints, StageWaker waker, PreparedRecords prepared)
{
    /// <summary>Lets the document go on: it is embedded and published, also in a batch that has ended.</summary>
    public Task<ReviewResult> ApproveAsync(Actor actor, long review, int seen, CancellationToken ct) =>
        MoveAsync(actor, review, seen, ReviewActions.Approve, (connection, batch, held, token) => ReviewMoves.ApproveAsync(connection, actor, batch, [held], null, token), "Approved: it is published next.", ct);

    /// <summary>Ends the document. Wants a reason in the actor.</summary>
    public Task<ReviewResult> RejectAsync(Actor actor, long review, int seen, CancellationToken ct) => string.IsNullOrWhiteSpace(actor.Reason)
        ? Task.FromResult(new ReviewResult(ReviewOutcome.Refused, "Say why it is rejected."))
        : MoveAsync(actor, review, seen, ReviewActions.Reject, (connection, _, held, token) => ReviewMoves.RejectAsync(connection, actor, [held], null, token), "Rejected.", ct);

    /// <summary>Runs the document again from acquire, parse or resolve.</summary>
    public Task<ReviewResult> SendBackAsync(Actor actor, long review, int seen, Stage to, CancellationToken ct) => to is not (Stage.Acquire or Stage.Parse or Stage.Resolve)
        ? Task.FromResult(new ReviewResult(ReviewOutcome.Refused, "It can be sent back to acquire, parse or resolve."))
        : MoveAsync(actor, review, seen, ReviewActions.SendBack, (connection, batch, held, token) => ReviewMoves.SendBackAsync(connection, actor, batch, held, to, token), $"Sent back to {to.Word()}.", ct);

    /// <summary>Says that one cannot say, with a reason if there is one: the review stays open, is marked, and comes last in the queue.</summary>
    public Task<ReviewResult> UnsureAsync(Actor actor, long review, int seen, CancellationToken ct) => DecideAsync(actor, review, seen, mustBeOpen: true, ReviewActions.Unsure, async (connection, _, held, token) =>
    {
        await ReviewRows.SetUnsureAsync(connection, held, new(actor.Name, actor.Reason, default), token);
        await ReviewRows.RecordAsync(connection, actor, ReviewActions.Unsure, [new(held.Id, DecisionBefore.Of(held, held.Confidence).ToJson())], null, token);
        return new([ReviewMoves.Decided(actor, ReviewActions.Unsure, held.ItemId)], "Marked as unsure: it waits for somebody else.");
    }, ct);

    /// <summary>Chooses the entity that a field means; the review stays open.</summary>
    public Task<ReviewResult> PickAsync(Actor actor, long review, int seen, string field, string entity, CancellationToken ct) =>
        LinkAsync(actor, review, seen, ReviewActions.Pick, field, async (connection, list, token) => await EntityLinks.FindAsync(connection, list, entity, token), ct);

    /// <summary>Makes an entity in the list of a field and chooses it: the next version of the list.</summary>
    public Task<ReviewResult> NewEntityAsync(Actor actor, long review, int seen, string field, ReferenceEntity entity, CancellationToken ct) =>
        LinkAsync(actor, review, seen, ReviewActions.NewEntity, field, (connection, list, token) => EntityLinks.AddAsync(connection, actor, list, entity, token), ct);

    /// <summary>Makes one of two entities of the field's list and chooses it: the other's names become its spellings. Never across types.</summary>
    public Task<ReviewResult> MergeAsync(Actor actor, long review, int seen, string field, string from, string into, CancellationToken ct) =>
        LinkAsync(actor, review, seen, ReviewActions.Merge, field, (connection, list, token) => EntityLinks.MergeAsync(connection, actor, list, from, into, token), ct);

    /// <summary>Takes spellings off an entity of the field's list and makes another one of them, which is chosen: what <see cref="MergeAsync"/> puts together.</summary>
    public Task<ReviewResult> SplitAsync(Actor actor, long review, int seen, string field, string from, IReadOnlyList<string> spellings, string key, string name, CancellationToken ct) =>
        LinkAsync(actor, review, seen, ReviewActions.Split, field, (connection, list, token) => EntityLinks.SplitAsync(connection, actor, list, from, spellings, new(key, name), token), ct);

    /// <summary>Takes the last decision on a review back: fields, lists, document, task and what was published are as before it.</summary>
    public Task<ReviewResult> UndoAsync(Actor actor, long review, int seen, CancellationToken ct) => DecideAsync(actor, review, seen, mustBeOpen: false, ReviewActions.Undo,
        (connection, batch, held, token) => ReviewUndo.RunAsync(connection, actor, batch, held, token), ct);

    /// <summary>
    /// Chooses entities and then approves, rejects, sends back or (<c>pick</c>) does no more, all of it or nothing. What is not kept is made and
    /// taken back with its transaction: a dry run says what the real one would.
    /// </summary>
    /// <param name="to">The stage of what is sent back.</param>
    public Task<ReviewResult> DecideTogetherAsync(
        Actor actor, long review, int seen, IReadOnlyList<(string Field, string Entity)> picks, string action, Stage? to, bool keep, CancellationToken ct)
    {
        if (action == ReviewActions.Reject && string.IsNullOrWhiteSpace(actor.Reason)) return Task.FromResult(new ReviewResult(ReviewOutcome.Refused, "Say why it is rejected."));
        return DecideAsync(actor, review, seen, mustBeOpen: true, action, async (connection, batch, held, token) =>
        {
            var (events, message) = (new List<NewEvent>(), "");
            foreach (var (field, entity) in picks)
            {
                var picked = await LinkStepAsync(connection, actor, held, ReviewActions.Pick, field, (c, list, t) => EntityLinks.FindAsync(c, list, entity, t), token);
                if (picked.Events is not { } linked) return picked;
                events.AddRange(linked);
                message = picked.Message;
                held = (await ReviewRows.HoldAsync(connection, [held.Id], token))[0];
            }
            if (action == ReviewActions.Pick) return new(events, message, picks.Count);
            events.AddRange(action switch
            {
                ReviewActions.Approve => await ReviewMoves.ApproveAsync(connection, actor, batch, [held], null, token),
                ReviewActions.Reject => await ReviewMoves.RejectAsync(connection, actor, [held], null, token),
                _ => await ReviewMoves.SendBackAsync(connection, actor, batch, held, to ?? Stage.Resolve, token),
            });
            return new(events, action switch { ReviewActions.Approve => "Approved.", ReviewActions.Reject => "Rejected.", _ => $"Sent back to {(to ?? Stage.Resolve).Word()}." }, picks.Count + 1);
        }, ct, keep);
    }

    private Task<ReviewResult> MoveAsync(
        Actor actor, long review, int seen, string action, Func<NpgsqlConnection, BatchRow, HeldReview, CancellationToken, Task<List<NewEvent>>> move, string message, CancellationToken ct) =>
        DecideAsync(actor, review, seen, mustBeOpen: true, action, async (connection, batch, held, token) => new(await move(connection, batch, held, token), message), ct);

    private Task<ReviewResult> LinkAsync(
        Actor actor, long review, int seen, string action, string field, Func<NpgsqlConnection, ListVersion, CancellationToken, Task<EntityLink>> link, CancellationToken ct) =>
        DecideAsync(actor, review, seen, mustBeOpen: true, action, (connection, _, held, token) => LinkStepAsync(connection, actor, held, action, field, link, token), ct);

    private async Task<DecisionStep> LinkStepAsync(
        NpgsqlConnection connection, Actor actor, HeldReview held, string action, string field, Func<NpgsqlConnection, ListVersion, CancellationToken, Task<EntityLink>> link, CancellationToken token)
    {
        var fields = ResolvedField.FromJson(held.Fields);
        if (held.RecordTypeId is not { } type || fields.FirstOrDefault(f => f.Name == field) is not { Kind: FieldKind.Entity } target) return DecisionStep.Refuse($"This record has no field “{field}” that means an entity.");
        var linked = await link(connection, await ReferenceRows.HoldAsync(connection, actor.TenantId, held.CollectionId, target.EntityType!, token), token);
        if (linked.Entity is not { } entity) return DecisionStep.Refuse(linked.Problem!);
        var chosen = target with
        {
            State = FieldState.Picked, Conflict = false, Entity = entity.Key, EntityName = entity.Name, ListVersion = linked.Version, Confidence = 1,
            Why = $"{actor.DisplayName ?? actor.Name} chose {entity.Name}.",
        };
        var after = fields.Select(f => f.Name == field ? chosen : f).ToList();
        var confidence = RecordResolver.Judge((await prepared.TypeAsync(type, token)).Type, after).Confidence;
        await ReviewRows.SetFieldsAsync(connection, held, ResolvedField.ToJson(after), confidence, token);
        var before = DecisionBefore.Of(held, held.Confidence) with { List = linked.List, ListVersion = linked.List is null ? null : linked.Version, Added = linked.Added, Entities = linked.Before };
        await ReviewRows.RecordAsync(connection, actor, action, [new(held.Id, before.ToJson(), System.Text.Json.JsonSerializer.Serialize(new { field, entity = entity.Key, version = linked.Version }))], null, token);
        return new([ReviewMoves.Decided(actor, action, held.ItemId, field, entity.Key)], $"{field} is {entity.Name}.");
    }

    private async Task<ReviewResult> DecideAsync(
        Actor actor, long review, int seen, bool mustBeOpen, string action, Func<NpgsqlConnection, BatchRow, HeldReview, CancellationToken, Task<DecisionStep>> decide, CancellationToken ct, bool keep = true)
    {
        if (await BatchOfAsync(actor, review, ct) is not { } batchId) return NoSuchReview;
        var result = await Conflicts.RepeatAsync(async token =>
        {
            await using var connection = await database.Worker.OpenConnectionAsync(token);
            await using var transaction = await connection.BeginTransactionAsync(token);
            if (await ReviewRows.HoldAsync(connection, [review], token) is not [var held]) return NoSuchReview;
            if (await BatchRow.LockAsync(connection, batchId, actor.TenantId, token) is not { } batch) return NoSuchReview;
            if (held.Version != seen) return new(ReviewOutcome.Conflict, Meanwhile(held), held.Version);
            if (mustBeOpen && (held.State != ReviewStates.Open || held.Task is null)) return new(ReviewOutcome.Refused, Meanwhile(held), held.Version);
            if (batch.DesiredState == DesiredState.Cancel && !batch.State.IsFinal()) return new(ReviewOutcome.Refused, "Its batch is being cancelled.", held.Version);
            var step = await decide(connection, batch, held, token);
            if (step.Events is not { } events) return new ReviewResult(ReviewOutcome.Refused, step.Message, held.Version);
            if (!keep) return new(ReviewOutcome.Done, step.Message, held.Version);
            await AuditLog.WriteAsync(connection, actor, $"review_{action}", $"review {review}", token, System.Text.Json.JsonSerializer.Serialize(new { batch = batch.PublicId, item = held.ItemId }));
            await ImportEvents.AppendAsync(connection, batchId, events, token);
            await BatchCompletion.TryCompleteAsync(connection, batchId, token);
            await transaction.CommitAsync(token);
            return new(ReviewOutcome.Done, step.Message, held.Version + step.Decisions);
        }, ct);
        if (result.Outcome != ReviewOutcome.Done || !keep) return result;
        hints.Changed(batchId);
        waker.WakeAll();
        return result;
    }

    // Row-level security answers for what is out of reach as for what does not exist.
    private async Task<long?> BatchOfAsync(Actor actor, long review, CancellationToken ct)
    {
        await using var connection = await database.OpenWebAsync(actor.Scope, ct);
        await using var command = new NpgsqlCommand("SELECT batch_id FROM ingestion.review_item WHERE id = $1", connection) { Parameters = { new() { Value = review } } };
        return await command.ExecuteScalarAsync(ct) as long?;
    }

    private static ReviewResult NoSuchReview { get; } = new(ReviewOutcome.NotFound, "There is no such review.");

    private static string Meanwhile(HeldReview held) => held.State switch
    {
        ReviewStates.Open => "Somebody changed it since you looked. Look again, then decide.",
        ReviewStates.Withdrawn => "It was withdrawn: its document was cancelled.",
        _ => $"{held.DecidedBy} decided it already: {held.State.Replace('_', ' ')}.",
    };
}

/// <summary>What a decision wrote: its events, or none and why it was refused.</summary>
/// <param name="Decisions">By how much the review's fence moved.</param>
internal sealed record DecisionStep(List<NewEvent>? Events, string Message, int Decisions = 1)
{
    public static DecisionStep Refuse(string why) => new(null, why);
}
