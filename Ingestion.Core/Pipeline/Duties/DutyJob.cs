using Microsoft.Extensions.Logging;
using Quartz;

namespace Ingestion.Core.Pipeline.Duties;

/// <summary>
/// Quartz's part of a duty. A firing only asks; the database says whether it is this process's turn. A failure is logged, stands in the
/// duty's row, and the next turn tries again.
/// </summary>
[DisallowConcurrentExecution]
public sealed class DutyJob(IEnumerable<IDuty> duties, DutyTurns turns, ILogger<DutyJob> log) : IJob
{
    private const string DutyData = "duty";

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken ct)
    {
        var name = context.MergedJobDataMap.GetString(DutyData);
        var duty = duties.Single(d => d.Name == name);
        try
        {
            if (await turns.TakeAsync(duty, ct) is { } turn) await RunAsync(duty, turn, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // the scheduler stops
            return;
        }
        catch (Exception e)
        {
            log.DutyFailed(duty.Name, e.Message);
        }
    }

    private async Task RunAsync(IDuty duty, DutyTurn turn, CancellationToken ct)
    {
        try
        {
            await duty.RunAsync(turn, ct);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.DutyFailed(duty.Name, e.Message);
            await turns.FinishAsync(duty, e.Message, ct);
            return;
        }
        await turns.FinishAsync(duty, null, ct);
    }

    public static IJobDetail Detail(IDuty duty) => JobBuilder.Create<DutyJob>().WithIdentity(duty.Name, "duty").UsingJobData(DutyData, duty.Name).StoreDurably().Build();

    public static ITrigger Trigger(IDuty duty) => TriggerBuilder.Create().ForJob(duty.Name, "duty").WithIdentity(duty.Name, "duty")
        .StartNow().WithSimpleSchedule(s => s.WithInterval(DutyTurns.AskEvery(duty)).RepeatForever()).Build();
}
