using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class HealthTests(AdminApp app) : IClassFixture<AdminApp>
{
    [Fact]
    public async Task Healthy_program_answers_anybody_in_the_agreed_shape()
    {
        using var answer = await app.Caller().GetAsync("/health");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        body.GetProperty("status").GetString().ShouldBe("healthy");
        body.GetProperty("service").GetString().ShouldBe("ingestion");
        body.GetProperty("timestamp").GetString()!.ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$");
        body.GetProperty("checks").GetProperty("storage").GetProperty("status").GetString().ShouldBe("healthy");
    }

    [Fact]
    public async Task Failing_check_gives_503_with_its_reason_while_the_process_stays_live()
    {
        await using var failing = app.WithWebHostBuilder(b => b.ConfigureTestServices(s => s.AddHealthChecks()
            .AddCheck("lights", () => HealthCheckResult.Unhealthy("The lights are out."))));
        using var client = failing.CreateClient();

        using var health = await client.GetAsync("/health");
        health.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        var body = await health.Content.ReadFromJsonAsync<JsonElement>();
        body.GetProperty("status").GetString().ShouldBe("unhealthy");
        body.GetProperty("checks").GetProperty("lights").GetProperty("reason").GetString().ShouldBe("The lights are out.");

        using var live = await client.GetAsync("/health/live");
        live.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("abc-123", true)]
    [InlineData("two words", false)]
    public async Task Correlation_id_is_kept_where_it_is_a_plain_word(string sent, bool kept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health") { Headers = { { "X-Correlation-Id", sent } } };
        using var answer = await app.Caller().SendAsync(request);
        (answer.Headers.GetValues("X-Correlation-Id").Single() == sent).ShouldBe(kept);
    }

    [Fact]
    public async Task Unknown_page_is_a_page_with_404()
    {
        using var answer = await (await app.SignedInAsync()).GetAsync("/nowhere");
        answer.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await answer.Content.ReadAsStringAsync()).ShouldContain("Nothing is at this address");
    }
}
