using Ingestion.Core.Sources;

namespace Ingestion.Core.Pipeline.Duties;

/// <summary>Begins the syncs whose time has come.</summary>
public sealed class RunSchedules(Schedules schedules) : IDuty
{
    public string Name => "schedules";

    public string Purpose => "Begins the syncs of connections whose time has come.";

    public TimeSpan Interval => TimeSpan.FromSeconds(5);

    public Task RunAsync(DutyTurn turn, CancellationToken ct) => schedules.RunDueAsync(ct);
}
