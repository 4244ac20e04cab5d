using Microsoft.Extensions.Logging;
using Quartz;

namespace Ingestion.Core.Pipeline.Duties;

/// <summary>Something the product does by itself, again and again. Safe to run in several processes at once.</summary>
public interface IDuty
{
    /// <summary>Its name in logs and to the scheduler.</summary>
    string Name { get; }

    TimeSpan Interval { get; }

    Task RunAsync(CancellationToken ct);
}

/// <summary>Quartz's part of a duty: one firing at a time in a process; a failure is logged and the next firing tries again.</summary>
[DisallowConcurrentExecution]
public sealed class DutyJob(IEnumerable<IDuty> duties, ILogger<DutyJob> log) : IJob
{
    private const string DutyData = "duty";

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken ct)
    {
        var name = context.MergedJobDataMap.GetString(DutyData);
        var duty = duties.Single(d => d.Name == name);
        try
        {
            await duty.RunAsync(ct);
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

    public static IJobDetail Detail(IDuty duty) => JobBuilder.Create<DutyJob>().WithIdentity(duty.Name, "duty").UsingJobData(DutyData, duty.Name).StoreDurably().Build();

    public static ITrigger Trigger(IDuty duty) => TriggerBuilder.Create().ForJob(duty.Name, "duty").WithIdentity(duty.Name, "duty")
        .StartNow().WithSimpleSchedule(s => s.WithInterval(duty.Interval).RepeatForever()).Build();
}
