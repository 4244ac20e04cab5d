using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Ingestion.Admin.Api;

/// <summary>The database answers within two seconds.</summary>
internal sealed class DatabaseCheck(NpgsqlDataSource worker) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            await using var command = worker.CreateCommand("SELECT 1");
            // A server that cannot be reached may not heed the token either, so the wait has its own end.
            await command.ExecuteScalarAsync(limit.Token).WaitAsync(Patience, cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (PostgresException e)
        {
            return new(context.Registration.FailureStatus, $"The database refuses: {e.SqlState}.", e);
        }
        catch (Exception e) when (Transient.Is(e) || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new(context.Registration.FailureStatus, "The database does not answer.", e);
        }
    }
}
