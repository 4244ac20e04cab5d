namespace Ingestion.Admin.Components.Parts;

/// <summary>How one state looks wherever it is shown. The tone is a class of app.css; colour never stands alone.</summary>
/// <param name="Tone">waiting, running, paused, person, done, failed or muted.</param>
/// <param name="Icon">A Material symbol.</param>
/// <param name="Label">The word people read.</param>
public sealed record StateLook(string Tone, string Icon, string Label)
{
    private static readonly Dictionary<string, StateLook> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["draft"] = new("waiting", "edit_note", "Draft"),
        ["pending"] = new("waiting", "schedule", "Not started"),
        ["queued"] = new("waiting", "hourglass_empty", "Queued"),
        ["ready"] = new("waiting", "schedule", "Waiting"),
        ["open"] = new("waiting", "schedule", "Waiting"),
        ["running"] = new("running", "sync", "Running"),
        ["retrying"] = new("running", "autorenew", "Retrying"),
        ["cancelling"] = new("paused", "hourglass_bottom", "Cancelling"),
        ["paused"] = new("paused", "pause_circle", "Paused"),
        ["degraded"] = new("paused", "warning", "Limited"),
        ["blocked"] = new("person", "person_raised_hand", "Needs review"),
        ["review"] = new("person", "person_raised_hand", "Needs review"),
        ["unsure"] = new("paused", "question_mark", "Unsure"),
        ["approved"] = new("done", "how_to_reg", "Approved"),
        ["sent_back"] = new("running", "undo", "Sent back"),
        ["withdrawn"] = new("muted", "cancel", "Withdrawn"),
        ["completed"] = new("done", "check_circle", "Completed"),
        ["succeeded"] = new("done", "check_circle", "Done"),
        ["done"] = new("done", "check_circle", "Done"),
        ["published"] = new("done", "check_circle", "Published"),
        ["healthy"] = new("done", "check_circle", "Healthy"),
        ["alive"] = new("done", "check_circle", "Alive"),
        ["good"] = new("done", "check_circle", "Good"),
        ["holds"] = new("done", "check_circle", "Holds"),
        ["checking"] = new("running", "sync", "Checking"),
        ["warning"] = new("paused", "warning", "Look here"),
        ["unknown"] = new("waiting", "help", "Not known"),
        ["silent"] = new("failed", "sensors_off", "Silent"),
        ["broken"] = new("failed", "error", "Broken"),
        ["stopped"] = new("muted", "stop_circle", "Stopped"),
        ["failed"] = new("failed", "error", "Failed"),
        ["unhealthy"] = new("failed", "error", "Failing"),
        ["rejected"] = new("failed", "block", "Rejected"),
        ["enabled"] = new("done", "check_circle", "Enabled"),
        ["disabled"] = new("muted", "block", "Disabled"),
        ["expired"] = new("muted", "timer_off", "Expired"),
        ["lost"] = new("failed", "lock_reset", "Enter it again"),
        ["delivered"] = new("done", "check_circle", "Delivered"),
        ["dead"] = new("failed", "error", "Given up"),
        ["skipped"] = new("muted", "redo", "Skipped"),
        ["cancelled"] = new("muted", "cancel", "Cancelled"),
    };

    /// <summary>The look of a state; a word that is not known is shown as it is, in the neutral tone.</summary>
    public static StateLook Of(string state) => Known.GetValueOrDefault(state) ?? new("waiting", "help", state);
}
