using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Admin.Api;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class OutageTests
{
    [Fact]
    public async Task While_the_database_is_away_health_says_so_requests_get_503_and_the_program_lives()
    {
        await using var app = new AdminApp();
        using var client = app.Caller(AdminApp.Key);
        (await HealthAsync(client)).ShouldBe((HttpStatusCode.OK, "healthy"));
        var name = new NpgsqlConnectionStringBuilder(app.ConnectionString).Database;
        await AdminAsync($"ALTER DATABASE {name} ALLOW_CONNECTIONS false");
        await AdminAsync($"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'");

        await Eventually.IsAsync(async () => await HealthAsync(client) == (HttpStatusCode.ServiceUnavailable, "unhealthy"), "health tells of the outage");
        using var live = await client.GetAsync("/health/live");
        live.StatusCode.ShouldBe(HttpStatusCode.OK);
        using var refused = await client.GetAsync("/api/v1/batches");
        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(5));

        await AdminAsync($"ALTER DATABASE {name} ALLOW_CONNECTIONS true");
        await Eventually.IsAsync(async () => await HealthAsync(client) == (HttpStatusCode.OK, "healthy"), "it is back");
        using var answered = await client.GetAsync("/api/v1/batches");
        answered.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Unreachable_server_is_unhealthy_with_a_reason()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=x;Database=x;Timeout=5");
        var result = await new DatabaseCheck(nowhere).CheckHealthAsync(Context("database"));
        (result.Status, result.Description).ShouldBe((HealthStatus.Unhealthy, "The database does not answer."));
    }

    [Fact]
    public void Queue_tells_what_is_stuck_and_nothing_else()
    {
        var well = new QueueState(TimeSpan.FromHours(1), TimeSpan.FromSeconds(1), Running: 4, ExpiredLeases: 0, Workers: 1);
        QueueCheck.Reasons(well, listening: true).ShouldBeEmpty();
        QueueCheck.Reasons(well with { SinceLastClaim = TimeSpan.FromHours(1) }, listening: true).ShouldBeEmpty();
        QueueCheck.Reasons(well with { SinceLastClaim = TimeSpan.FromHours(1), Running = 0, Workers = 0 }, listening: true).ShouldHaveSingleItem().ShouldContain("no worker process is alive");
        QueueCheck.Reasons(well with { ExpiredLeases = 2 }, listening: true).ShouldHaveSingleItem().ShouldStartWith("2 expired leases");
        QueueCheck.Reasons(well, listening: false).ShouldHaveSingleItem().ShouldContain("polled");
        QueueCheck.Reasons(new(null, null, 0, 0, 1), listening: true).ShouldBeEmpty();
    }

    private static HealthCheckContext Context(string name) => new() { Registration = new(name, _ => throw new InvalidOperationException(), HealthStatus.Unhealthy, null) };

    private static async Task<(HttpStatusCode, string?)> HealthAsync(HttpClient client)
    {
        using var answer = await client.GetAsync("/health");
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        body.GetProperty("checks").GetProperty("queue").GetProperty("status").GetString().ShouldNotBe("unhealthy");
        return (answer.StatusCode, body.GetProperty("checks").GetProperty("database").GetProperty("status").GetString());
    }

    private static async Task AdminAsync(string sql)
    {
        await using var admin = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(await PostgresServer.AdminConnectionStringAsync()) { Pooling = false }.ConnectionString);
        await admin.OpenAsync();
        await admin.QueryAsync<object>(sql);
    }
}
