using Quartz;

namespace Ingestion.Core.Pipeline;

/// <summary>Quartz's part: once a second, or when woken, look whether a stage has work. One firing at a time per stage and process.</summary>
[DisallowConcurrentExecution]
public sealed class StageJob(StageRunner runner, StageWaker waker) : IJob
{
    private const string StageData = "stage";

    public static JobKey KeyOf(Stage stage) => new(stage.Word(), "stage");

    public async ValueTask Execute(IJobExecutionContext context, CancellationToken ct)
    {
        var stage = StateWords.Parse<Stage>(context.MergedJobDataMap.GetString(StageData)!);
        waker.Looking(stage);
        try
        {
            await runner.DrainAsync(stage, ct);
        }
        catch (OperationCanceledException)
        {
            // the process stops
            return;
        }
    }

    public static IJobDetail Detail(Stage stage) => JobBuilder.Create<StageJob>().WithIdentity(KeyOf(stage)).UsingJobData(StageData, stage.Word()).StoreDurably().Build();

    public static ITrigger Poll(Stage stage, TimeSpan interval) => TriggerBuilder.Create().ForJob(KeyOf(stage)).WithIdentity(stage.Word(), "poll")
        .StartNow().WithSimpleSchedule(s => s.WithInterval(interval).RepeatForever()).Build();
}
