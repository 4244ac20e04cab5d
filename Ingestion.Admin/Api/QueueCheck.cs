using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Ingestion.Admin.Api;

/// <summary>Due work is being taken up, lost work is taken back, and hints arrive. Never worse than degraded: people can still work.</summary>
internal sealed class QueueCheck(QueueHealth queue, ImportEventListener listener) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Work that is due and taken up by nobody for this long is stuck.</summary>
    internal static readonly TimeSpan Stuck = TimeSpan.FromMinutes(1);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var state = await queue.ReadAsync(cancellationToken).WaitAsync(Patience, cancellationToken);
            var reasons = Reasons(state, listener.Connected).ToList();
            return reasons.Count == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded(string.Join(' ', reasons));
        }
        catch (Exception e) when (Transient.Is(e))
        {
            return HealthCheckResult.Degraded("The queue cannot be looked at: the database does not answer.", e);
        }
    }

    internal static IEnumerable<string> Reasons(QueueState state, bool listening)
    {
        if (state is { OldestDue: { } due, SinceLastClaim: { } claim, Running: 0 } && due > Stuck && claim > Stuck)
            yield return $"Work has been due for {(int)due.TotalSeconds} s and nobody takes it{(state.Workers == 0 ? ": no worker process is alive" : "")}.";
        if (state.ExpiredLeases > 0)
            yield return $"{state.ExpiredLeases} expired leases have not been taken back.";
        if (!listening)
            yield return "Hints of other processes do not arrive; everything is polled.";
    }
}
