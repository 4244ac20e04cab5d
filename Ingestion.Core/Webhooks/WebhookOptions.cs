using Ingestion.Core.Settings;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Webhooks;

/// <summary>How receivers are told: section <c>Ingestion:Webhooks</c>.</summary>
public sealed class WebhookOptions
{
    public const string Section = "Ingestion:Webhooks";

    /// <summary>The answer's bytes that are read at most.</summary>
    public const int MaxReply = 64 << 10;

    /// <summary>The waits before each attempt; after the last one a delivery is given up. About 75 hours together.</summary>
    private static readonly TimeSpan[] Usual =
    [
        TimeSpan.Zero, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5), TimeSpan.FromHours(10),
        TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>True lets endpoints be plain http. What is sent is signed, but then anybody on the way reads it.</summary>
    public bool AllowHttp { get; set; }

    /// <summary>For a whole exchange, connecting and reading included.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a secret is still signed with after it was replaced.</summary>
    public TimeSpan PreviousSecretLife { get; set; } = TimeSpan.FromHours(24);

    /// <summary>Deliveries that one process sends at once.</summary>
    public int MaxConcurrentRequests { get; set; } = 8;

    /// <summary>The waits before each attempt; empty for the usual ones.</summary>
    public IList<TimeSpan> Schedule { get; } = [];

    /// <summary>The wait before the attempt after so many failures; null where it is given up.</summary>
    public TimeSpan? WaitAfter(int failures)
    {
        var waits = Schedule.Count > 0 ? Schedule : Usual;
        return failures < waits.Count ? waits[failures] : null;
    }
}

internal sealed class WebhookOptionsCheck : IValidateOptions<WebhookOptions>
{
    public ValidateOptionsResult Validate(string? name, WebhookOptions o) => new SettingCheck(WebhookOptions.Section)
        .Range("Timeout", o.Timeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(60))
        .Range("PreviousSecretLife", o.PreviousSecretLife, TimeSpan.Zero, TimeSpan.FromDays(30))
        .Range("MaxConcurrentRequests", o.MaxConcurrentRequests, 1, 64)
        .That("Schedule", o.Schedule.All(w => w >= TimeSpan.Zero && w <= TimeSpan.FromDays(7)), "must hold waits of up to 7 days")
        .Result;
}
