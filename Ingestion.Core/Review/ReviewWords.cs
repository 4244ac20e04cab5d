namespace Ingestion.Core.Review;

/// <summary>The word a review is in.</summary>
public static class ReviewStates
{
    public const string Open = "open";
    /// <summary>Its document went on.</summary>
    public const string Approved = "approved";
    /// <summary>Its document ended.</summary>
    public const string Rejected = "rejected";
    /// <summary>Its document runs again from an earlier stage, and may come back as another review.</summary>
    public const string SentBack = "sent_back";
    /// <summary>Nobody is asked any more: the document was cancelled, or its batch deleted.</summary>
    public const string Withdrawn = "withdrawn";

    public static IReadOnlyList<string> All { get; } = [Open, Approved, Rejected, SentBack, Withdrawn];
}

/// <summary>Why a person is asked; a review has one or more.</summary>
public static class ReviewReasons
{
    /// <summary>Rows of manifests are all looked at until the collection lets the sure ones pass.</summary>
    public const string Manifest = "manifest";
    /// <summary>Its text is hardly readable.</summary>
    public const string Quality = "quality";
    /// <summary>Some name could mean an entity, not surely enough.</summary>
    public const string Uncertain = "uncertain";
    /// <summary>Some name is close to nothing in its list.</summary>
    public const string Unmatched = "unmatched";
    /// <summary>There is no list to look some name up in.</summary>
    public const string NoList = "no_list";
    /// <summary>Two sources say different things.</summary>
    public const string Conflict = "conflict";
    /// <summary>A required field is missing.</summary>
    public const string Incomplete = "incomplete";
    /// <summary>A rule would let it pass, and it belongs to the share that people look at all the same.</summary>
    public const string Sample = "sample";

    public static IReadOnlyList<string> All { get; } = [Manifest, Quality, Uncertain, Unmatched, NoList, Conflict, Incomplete, Sample];
}

/// <summary>What can be decided.</summary>
public static class ReviewActions
{
    public const string Approve = "approve";
    public const string Reject = "reject";
    public const string SendBack = "send_back";
    /// <summary>Choose the entity of a field.</summary>
    public const string Pick = "pick";
    /// <summary>Make an entity for a field, and choose it.</summary>
    public const string NewEntity = "new_entity";
    /// <summary>Make one of two entities of a list, and choose it.</summary>
    public const string Merge = "merge";
    /// <summary>Take spellings off an entity that mean another one, make that one, and choose it.</summary>
    public const string Split = "split";
    /// <summary>Say that one cannot say: it stays open, marked, and comes last.</summary>
    public const string Unsure = "unsure";
    public const string Undo = "undo";
}
