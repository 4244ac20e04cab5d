using Ingestion.Core.Resolution;
using Ingestion.Core.Review;

namespace Ingestion.Admin.Components.Pages.Reviews;

/// <summary>How a reason to ask a person is shown. Colour never stands alone.</summary>
/// <param name="Tone">A tone of the badges.</param>
/// <param name="Icon">A Material symbol.</param>
/// <param name="Help">What it means, in a sentence.</param>
public sealed record ReasonLook(string Tone, string Icon, string Label, string Help);

/// <summary>The words of the review pages.</summary>
public static class ReviewWords
{
    /// <summary>The look of a word of <see cref="ReviewReasons"/>.</summary>
    public static ReasonLook Reason(string word) => word switch
    {
        ReviewReasons.Manifest => new("muted", "list_alt", "Manifest row", "Rows of manifests are all looked at until the collection lets the sure ones pass."),
        ReviewReasons.Quality => new("paused", "blur_on", "Hard to read", "Its text scores below the quality threshold."),
        ReviewReasons.Uncertain => new("waiting", "help", "Uncertain", "A name could mean an entity, not surely enough."),
        ReviewReasons.Unmatched => new("person", "search_off", "Not in the list", "A name is close to nothing in its list."),
        ReviewReasons.NoList => new("failed", "playlist_remove", "No list", "There is no list to look a name up in."),
        ReviewReasons.Conflict => new("failed", "call_split", "Sources disagree", "Two sources say different things."),
        ReviewReasons.Incomplete => new("paused", "check_box_outline_blank", "Incomplete", "A required field is missing."),
        _ => new("waiting", "help", word.Replace('_', ' '), ""),
    };

    /// <summary>The badge's word for the state a review is in.</summary>
    public static string Badge(ReviewRow review) => review switch
    {
        { State: ReviewStates.Open, Unsure: not null } => "unsure",
        { State: ReviewStates.Open } => "review",
        _ => review.State,
    };

    /// <summary>The look of a field: what is settled, what waits, and what could not even be asked.</summary>
    public static ReasonLook Field(ResolvedField field) => field switch
    {
        { Kind: FieldKind.Entity, Conflict: true } => Reason(ReviewReasons.Conflict),
        { State: FieldState.Linked } => new("done", "link", "Linked", "Linked surely enough."),
        { State: FieldState.Picked } => new("done", "how_to_reg", "Chosen", "A person chose it."),
        { State: FieldState.Uncertain } => Reason(ReviewReasons.Uncertain),
        { State: FieldState.Unmatched } => Reason(ReviewReasons.Unmatched),
        { State: FieldState.NoList } => Reason(ReviewReasons.NoList),
        { State: FieldState.Empty } => new("muted", "check_box_outline_blank", "Empty", "No rule found a value."),
        _ => new("muted", "notes", "Found", "Taken as it was found."),
    };

    /// <summary>A decision as a sentence's verb: <c>approved it</c>.</summary>
    public static string Did(string action) => action switch
    {
        ReviewActions.Approve => "approved it",
        ReviewActions.Reject => "rejected it",
        ReviewActions.SendBack => "sent it back",
        ReviewActions.Pick => "chose an entity",
        ReviewActions.NewEntity => "made a new entity",
        ReviewActions.Merge => "merged two entities",
        ReviewActions.Split => "split an entity",
        ReviewActions.Unsure => "was unsure",
        ReviewActions.Undo => "took a decision back",
        _ => action.Replace('_', ' '),
    };

    /// <summary>The part of a quality score by its name.</summary>
    public static string Part(string name) => name switch
    {
        "letters" => "Letters among all signs",
        "charset" => "Right character set",
        "words" => "Words that could be words",
        "density" => "Text on a page",
        "pages" => "Pages that hold text",
        _ => name.Replace('_', ' '),
    };

    public static string Order(ReviewOrder order) => order switch
    {
        ReviewOrder.Newest => "Newest first",
        ReviewOrder.LeastSure => "Least sure first",
        ReviewOrder.MostSure => "Surest first",
        ReviewOrder.WorstQuality => "Worst text first",
        _ => "Oldest first",
    };

    public static string State(string? state) => state switch
    {
        null => "Any state",
        ReviewStates.Open => "Waiting",
        ReviewStates.Approved => "Approved",
        ReviewStates.Rejected => "Rejected",
        ReviewStates.SentBack => "Sent back",
        _ => "Withdrawn",
    };
}
