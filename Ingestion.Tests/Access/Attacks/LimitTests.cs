using System.Net;
using System.Net.Http.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Tests.Admin;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access.Attacks;

/// <summary>Asking too often, and as if one were many.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task Each_limited_route_refuses_who_asks_too_often_and_says_how_long_to_wait()
    {
        await using var app = new AdminApp();
        await using var limited = app.WithWebHostBuilder(b =>
        {
            foreach (var limit in new[] { "Batches", "Uploads", "Searches", "Sockets" }) b.UseSetting($"Ingestion:Limits:{limit}PerMinute", "2");
        });
        using var warm = limited.CreateClient();
        var tried = 0;
        foreach (var rule in RouteRules.All.Where(r => r.Limit != Limit.None))
        {
            var person = await new People(limited.Services).MakeAsync(Role.Administrator, owner: true);
            var client = limited.CreateClient(new() { AllowAutoRedirect = false, HandleCookies = false });
            client.DefaultRequestHeaders.Add("X-Api-Key", person.Key);
            var method = rule.Methods.Split(' ')[0];
            var address = "/" + rule.Pattern.TrimStart('/').Replace("{batch}", "job_x", StringComparison.Ordinal).Replace("{id}", "x", StringComparison.Ordinal).Replace("{id:long}", "1", StringComparison.Ordinal).Replace("{user_id}", person.Id, StringComparison.Ordinal);
            HttpResponseMessage? refused = null;
            var said = new List<int>();
            // A minute may end between two of them; then the count begins anew.
            for (var i = 0; i < 6 && refused is null; i++)
            {
                using var request = new HttpRequestMessage(new(method), address);
                // As if from somewhere else each time, and as if by somebody else.
                request.Headers.Add("X-Forwarded-For", $"203.0.113.{i}");
                request.Headers.Add("X-Real-IP", $"203.0.113.{i}");
                request.Headers.Add("User-Agent", $"agent{i}");
                request.Headers.Add("X-Correlation-Id", $"id{i}");
                if (method != "GET") request.Content = JsonContent.Create(new { });
                var answer = await client.SendAsync(request);
                said.Add((int)answer.StatusCode);
                if (answer.StatusCode == HttpStatusCode.TooManyRequests) refused = answer;
            }
            refused.ShouldNotBeNull($"{method} {address}: {string.Join(' ', said)}");
            refused.Headers.RetryAfter!.Delta!.Value.ShouldBeInRange(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
            (await refused.Content.ReadAsStringAsync()).ShouldContain("rate_limited");
            tried++;
        }
        tried.ShouldBeGreaterThan(6);
        Console.WriteLine($"{tried} limited routes, each refused with 429 and the seconds to wait");
    }

    [Fact]
    public void Every_route_that_takes_files_batches_or_searches_is_limited()
    {
        foreach (var (pattern, limit) in new[] { ("/api/v1/batches", Limit.Batches), ("/api/v1/uploads", Limit.Uploads), ("/api/v1/uploads/file", Limit.Uploads), ("/api/v1/search", Limit.Searches), ("_blazor", Limit.Sockets) })
            RouteRules.All.Where(r => r.Pattern == pattern).ShouldContain(r => r.Limit == limit, pattern);
    }
}
