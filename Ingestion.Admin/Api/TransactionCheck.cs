using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Postgres;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Ingestion.Admin.Api;

/// <summary>No transaction has been open for too long. Never worse than degraded: work goes on, tables only grow.</summary>
internal sealed class TransactionCheck(OpenTransactions transactions, DatabaseOptions options) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            var look = await transactions.OlderThanAsync(options.TransactionAgeAlarm, cancellationToken).WaitAsync(Patience, cancellationToken);
            return look.Found is [var oldest, ..]
                ? HealthCheckResult.Degraded($"A transaction has been open for {(int)oldest.Age.TotalSeconds} s; tables cannot be cleaned while it is.")
                : HealthCheckResult.Healthy();
        }
        catch (Exception e) when (Transient.Is(e))
        {
            return HealthCheckResult.Degraded("Transactions cannot be looked at: the database does not answer.", e);
        }
    }
}
