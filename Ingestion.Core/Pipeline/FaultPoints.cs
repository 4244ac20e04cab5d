namespace Ingestion.Core.Pipeline;

/// <summary>
/// Places at which the chaos tests make this process die, freeze or stumble. A test hook and no setting: it does nothing unless the
/// environment holds <see cref="Variable"/>, and then the program only serves this machine. Costs a look at a null while unset.
/// </summary>
public static class FaultPoints
{
    /// <summary>
    /// <c>point[@word][:n][=action]</c>, several separated by <c>;</c>. Where the subject of the point holds the word (always, without
    /// one), at the n-th time (<c>*</c>: every time; the first, without one): an action of <see cref="Fault"/>, <c>kill</c> without one.
    /// </summary>
    public const string Variable = "INGESTION_FAULT";

    /// <summary>A path: nothing fails before a file is there, so that one process can first finish what another began.</summary>
    public const string ArmedBy = "INGESTION_FAULT_ARMED_BY";

    /// <summary>Tasks were claimed and none of them has begun; the subject is the stage.</summary>
    public const string AfterClaim = "after_claim";
    /// <summary>An artifact's bytes are written but not flushed.</summary>
    public const string BeforeFlush = "before_flush";
    /// <summary>An artifact's file is in place, the transaction that refers to it is not.</summary>
    public const string AfterFile = "after_file";
    /// <summary>A parser child has begun with a document; the subject is its name.</summary>
    public const string WhileParsing = "while_parsing";
    /// <summary>The same, in the child.</summary>
    public const string InParser = "in_parser";
    /// <summary>A version has its chunks, and no vector of a slice is stored yet.</summary>
    public const string BeforeVectors = "before_vectors";
    /// <summary>Every vector is stored and the stage is not settled.</summary>
    public const string AfterVectors = "after_vectors";
    /// <summary>A settling is committed and nobody has been told.</summary>
    public const string AfterCommit = "after_commit";
    /// <summary>A batch is found to have no work left and has not been ended.</summary>
    public const string Completing = "completing";
    /// <summary>A slice of a bulk decision is written and not committed.</summary>
    public const string InBulk = "in_bulk";
    /// <summary>A webhook was sent and nothing of it is written; the subject is the event.</summary>
    public const string AfterWebhook = "after_webhook";
    /// <summary>A statement of a migration was executed.</summary>
    public const string Migrating = "migrating";

    private static readonly string? Text = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } text ? text : null;
    private static readonly string? Arming = Environment.GetEnvironmentVariable(ArmedBy) is { Length: > 0 } path ? path : null;
    private static readonly IReadOnlyList<Fault>? Faults = Text is null ? null : Fault.Read(Text);

    /// <summary>Why this process may not run with what the environment holds; null where it may.</summary>
    public static string? Refusal(bool loopback) => Text is null ? null
        : !loopback ? $"{Variable} makes the program fail on purpose, for its tests. It is refused unless Ingestion:Bind is a loopback address."
        : Faults is null ? $"{Variable} must be point[@word][:n][=action], not {Text}."
        : null;

    /// <summary>Said at the start; null where no fault is set.</summary>
    public static string? Warning => Text is null ? null : $"{Variable} is set: this process fails on purpose at {Text}.";

    /// <summary>The process is at this point.</summary>
    public static void Reach(string point, string? subject = null)
    {
        if (Faults is null || (Arming is not null && !File.Exists(Arming))) return;
        foreach (var fault in Faults)
            if (fault.Meets(point, subject)) fault.Act();
    }

    /// <summary>True where what was claimed is to be worked on twice at once, as by a queue that delivers twice.</summary>
    public static bool Doubles(string stage) => Faults is not null && Faults.Any(f => f.Doubles && f.Meets(AfterClaim, stage));
}
