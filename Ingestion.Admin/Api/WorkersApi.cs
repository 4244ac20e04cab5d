using Ingestion.Admin.Access;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api;

/// <summary><c>GET /api/v1/workers</c>: who works on this database, what waits for each stage, and the duties, for administrators.</summary>
internal static class WorkersApi
{
    public static WebApplication MapWorkers(this WebApplication app)
    {
        app.MapGet("/api/v1/workers", async (Workers workers, CancellationToken ct) => Wire.Answer(WorkersAnswer.Of(await workers.ReadAsync(ct))));
        return app;
    }

    private sealed record WorkersAnswer(DateTimeOffset At, IEnumerable<Process> Processes, IEnumerable<Queue> Stages, IEnumerable<Duty> Duties)
    {
        public static WorkersAnswer Of(WorkersView view) => new(view.At,
            view.Processes.Select(p => new Process(p.Id, p.Host, p.Pid, p.Role, p.Version, p.State.Word(), p.StartedAt, p.LastSeenAt, p.StoppedAt, ByWord(p.Slots), ByWord(p.Held), p.Connections)),
            view.Stages.Select(s => new Queue(s.Stage.Word(), s.Due, s.Later, s.Running, s.OldestDue?.TotalSeconds, s.Workers, s.Slots)),
            view.Duties.Select(d => new Duty(d.Name, d.Purpose, d.Interval.TotalSeconds, d.NextDue, d.LastStarted, d.LastFinished, d.LastError, d.Worker)));

        private static Dictionary<string, int> ByWord(IReadOnlyDictionary<Stage, int> byStage) => byStage.ToDictionary(s => s.Key.Word(), s => s.Value);
    }

    private sealed record Process(
        string Id, string Host, int Pid, string Role, string Version, string State, DateTimeOffset StartedAt, DateTimeOffset LastSeenAt, DateTimeOffset? StoppedAt,
        IReadOnlyDictionary<string, int> Slots, IReadOnlyDictionary<string, int> Held, int Connections);

    private sealed record Queue(string Stage, int Due, int Later, int Running, double? OldestDueSeconds, int Workers, int Slots);

    private sealed record Duty(
        string Name, string Purpose, double IntervalSeconds, DateTimeOffset NextDue, DateTimeOffset? LastStartedAt, DateTimeOffset? LastFinishedAt, string? LastError, string? Worker);
}
