using System.Net;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;
using Ingestion.Core.Sources;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Settings;

/// <summary>Collects everything that is wrong with one section, so that a person corrects it in one go. Each message names its key.</summary>
internal sealed class SettingCheck(string section)
{
    private readonly List<string> _wrong = [];

    public SettingCheck Range<T>(string name, T value, T least, T most, string unit = "") where T : IComparable<T>
    {
        return That(name, value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0,
            FormattableString.Invariant($"must be {least} to {most}{(unit.Length == 0 ? "" : " " + unit)}, not {value}"));
    }

    public SettingCheck That(string name, bool holds, string must)
    {
        if (!holds)
            _wrong.Add($"{SettingNames.Describe($"{section}:{name}")} {must}.");
        return this;
    }

    public ValidateOptionsResult Result => _wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(_wrong);
}

internal sealed class IngestionOptionsCheck : IValidateOptions<IngestionOptions>
{
    public ValidateOptionsResult Validate(string? name, IngestionOptions o) => new SettingCheck(IngestionOptions.Section)
        .Range("Port", o.Port, 0, 65535)
        .That("Bind", IPAddress.TryParse(o.Bind, out _), "must be an IP address such as 127.0.0.1 or 0.0.0.0")
        .That("Role", Enum.IsDefined(o.Role), "must be web, worker or both")
        .That("BootstrapKey", o.BootstrapKey.Length is 0 or >= 16, "must have at least 16 characters")
        .That("BootstrapKey", o.IsLoopback || o.BootstrapKey.Length > 0 || !IPAddress.TryParse(o.Bind, out _),
            $"must be set to listen on {o.Bind}: without a key only this machine may reach the program")
        .Result;
}

internal sealed class RefreshOptionsCheck : IValidateOptions<RefreshOptions>
{
    public ValidateOptionsResult Validate(string? name, RefreshOptions o) =>
        new SettingCheck(RefreshOptions.Section).Range("Seconds", o.Seconds, 1, 3600, "seconds").Result;
}

internal sealed class PipelineOptionsCheck : IValidateOptions<PipelineOptions>
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    public ValidateOptionsResult Validate(string? name, PipelineOptions o) => new SettingCheck(PipelineOptions.Section)
        .Range("MaxConcurrentJobs", o.MaxConcurrentJobs, 1, 1000)
        .Range("MaxConcurrentProcessing", o.MaxConcurrentProcessing, 1, 256)
        .Range("MaxItemsPerBatch", o.MaxItemsPerBatch, 1, 10_000_000)
        .Range("MaxFileSizeMb", o.MaxFileSizeMb, 1, 1 << 20, "MiB")
        .Range("Lease", o.Lease, TimeSpan.FromSeconds(1), Hour)
        .Range("Heartbeat", o.Heartbeat, Soon, Hour)
        .That("Heartbeat", o.Heartbeat * 2 <= o.Lease, "must be at most half of Ingestion:Pipeline:Lease, so that one lost beat does no harm")
        .Range("Sweep", o.Sweep, Soon, Hour)
        .Range("Poll", o.Poll, Soon, Hour)
        .That("Stages", o.Stages.All(StageOrder.Standard.Contains), "may name discover, acquire, parse, resolve, embed and index")
        .Range("Slots:Discover", o.Slots.Discover, 1, 256)
        .Range("Slots:Acquire", o.Slots.Acquire, 1, 256)
        .Range("Slots:Resolve", o.Slots.Resolve, 1, 256)
        .Range("Slots:Embed", o.Slots.Embed, 1, 256)
        .Range("Slots:Index", o.Slots.Index, 1, 256)
        .Range("Retry:InitialDelay", o.Retry.InitialDelay, TimeSpan.Zero, Hour)
        .Range("Retry:Factor", o.Retry.Factor, 1, 100)
        .Range("Retry:MaxDelay", o.Retry.MaxDelay, o.Retry.InitialDelay, Day)
        .Range("Retry:Jitter", o.Retry.Jitter, 0, 1)
        .Result;
}

internal sealed class DatabaseOptionsCheck : IValidateOptions<DatabaseOptions>
{
    // The pipeline holds a connection for each task that settles, and lists, renews and rescues beside them.
    private const int Least = 4;

    public ValidateOptionsResult Validate(string? name, DatabaseOptions o) => new SettingCheck(DatabaseOptions.Section)
        .Range("WorkerPoolSize", o.WorkerPoolSize, Least, 1000)
        .Range("WebPoolSize", o.WebPoolSize, Least, 1000)
        .Range("OwnerPoolSize", o.OwnerPoolSize, 2, 100)
        .Range("TransactionAgeAlarm", o.TransactionAgeAlarm, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1))
        .Result;
}

internal sealed class RetentionOptionsCheck : IValidateOptions<RetentionOptions>
{
    private const int Century = 36500;

    public ValidateOptionsResult Validate(string? name, RetentionOptions o) => new SettingCheck(RetentionOptions.Section)
        .Range("EventsDays", o.EventsDays, 0, Century, "days")
        .Range("TaskRunsDays", o.TaskRunsDays, 0, Century, "days")
        .Range("AuditDays", o.AuditDays, 0, Century, "days")
        .Result;
}

internal sealed class ReviewOptionsCheck : IValidateOptions<ReviewOptions>
{
    public ValidateOptionsResult Validate(string? name, ReviewOptions o) => new SettingCheck(ReviewOptions.Section)
        .That("SampleShare", o.SampleShare is >= 0 and <= 1, "must be 0 to 1")
        .That("ErrorLimit", o.ErrorLimit is > 0 and < 1, "must be more than 0 and less than 1")
        .Range("LeastSamples", o.LeastSamples, 1, 100_000)
        .Result;
}

internal sealed class ImportOptionsCheck : IValidateOptions<ImportOptions>
{
    public ValidateOptionsResult Validate(string? name, ImportOptions o) => new SettingCheck(ImportOptions.Section)
        .That("ManifestFolder", o.ManifestFolder.Length == 0 || Directory.Exists(o.ManifestFolder), "must be a directory that exists")
        .Result;
}

internal sealed class ProcessingOptionsCheck : IValidateOptions<ProcessingOptions>
{
    public ValidateOptionsResult Validate(string? name, ProcessingOptions o)
    {
        var check = new SettingCheck(ProcessingOptions.Section);
        foreach (var (property, must) in o.Problems())
            check.That(property, holds: false, must);
        return check.Result;
    }
}
