using Ingestion.Admin.Components.Parts;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Components.Pages.Operations;

/// <summary>Sentences on processes, queues and duties.</summary>
public static class WorkerWords
{
    /// <summary>Nobody serves a stage: said whether or not something waits, because soon something will.</summary>
    public static string Unserved(StageQueue stage)
    {
        var waiting = stage.Due + stage.Later;
        var waits = waiting == 0 ? "Nothing waits for it yet." : $"{Format.Count(waiting, "task waits", "tasks wait")} for it and {(waiting == 1 ? "goes" : "go")} on as soon as one is started.";
        return $"No running worker serves the stage {stage.Stage.Word()}. {waits}";
    }

    public static string Role(string role) => role switch
    {
        "web" => "Pages and API",
        "worker" => "Pipeline",
        "both" => "Everything",
        _ => role,
    };

    public static string State(ProcessState state) => state.Word();

    /// <summary>What its state means for what it holds; null where nothing has to be said.</summary>
    public static string? Reason(ProcessView process) => process switch
    {
        { State: ProcessState.Silent, HeldTasks: > 0 } => "It has not said for a while that it lives. What it holds is taken back when the leases run out.",
        { State: ProcessState.Silent } => "It has not said for a while that it lives, and did not stop: it died, froze, or cannot reach the database.",
        _ => null,
    };

    public static string State(DutyView duty) => duty switch
    {
        { IsUnderWay: true } => "running",
        { LastError: not null } => "failed",
        { LastFinished: null } => "pending",
        _ => "done",
    };
}
