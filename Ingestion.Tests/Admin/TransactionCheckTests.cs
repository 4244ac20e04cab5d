using Ingestion.Admin.Api;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class TransactionCheckTests : DatabaseTest
{
    [Fact]
    public async Task Old_transaction_degrades_and_never_fails_health()
    {
        (await CheckAsync(TimeSpan.FromHours(1))).ShouldBe((HealthStatus.Healthy, null));
        await using var console = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Database = Test.Name, Pooling = false }.ConnectionString);
        await console.OpenAsync();
        await using var forgotten = await console.BeginTransactionAsync();
        await console.QueryAsync<int>("SELECT 1");
        var (status, reason) = await CheckAsync(TimeSpan.Zero);
        (status, reason!.StartsWith("A transaction has been open for", StringComparison.Ordinal)).ShouldBe((HealthStatus.Degraded, true));
    }

    private async Task<(HealthStatus, string?)> CheckAsync(TimeSpan alarm)
    {
        var result = await new TransactionCheck(new(Worker), new() { TransactionAgeAlarm = alarm }).CheckHealthAsync(new());
        return (result.Status, result.Description);
    }
}
