using Ingestion.Admin.Access;
using Ingestion.Tests.Admin;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticAssets;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access;

public sealed class RouteRulesTests(AdminApp app) : IClassFixture<AdminApp>
{
    [Fact]
    public void Every_route_has_a_rule_and_every_rule_a_route()
    {
        var routes = Routes(app.Services);
        routes.Where(r => RouteRules.Find(r.Pattern, r.Method) is null).Select(r => $"{r.Method} {r.Pattern}").ShouldBeEmpty("these routes have no row in RouteRules");
        RouteRules.All.Where(rule => !routes.Any(r => RouteRules.Find(r.Pattern, r.Method) == rule)).Select(r => $"{r.Methods} {r.Pattern}").ShouldBeEmpty("these rows of RouteRules have no route");
        Console.WriteLine($"{routes.Count} routes, each with a rule");
    }

    [Fact]
    public void Whatever_is_open_to_anybody_is_so_by_its_rule()
    {
        foreach (var endpoint in Endpoints(app.Services).Where(e => e.Metadata.GetMetadata<IAllowAnonymous>() is not null))
            foreach (var method in Methods(endpoint))
                RouteRules.Find(endpoint.RoutePattern.RawText, method)!.Needs.ShouldBeNull(endpoint.RoutePattern.RawText);
    }

    [Fact]
    public void Every_page_is_found_by_its_component()
    {
        foreach (var page in typeof(Program).Assembly.GetTypes().Where(t => t.GetCustomAttributes(typeof(Microsoft.AspNetCore.Components.RouteAttribute), false).Length > 0))
            RouteRules.OfPage(page).ShouldNotBeNull(page.Name);
    }

    [Fact]
    public void The_document_says_what_the_table_says()
    {
        var written = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "access.md")).Where(l => l.StartsWith("| `", StringComparison.Ordinal) && l.Contains(" | ", StringComparison.Ordinal)).ToList();
        var table = RouteRules.All.Select(r => $"| `{(r.IsPage ? "page" : r.Methods)} {r.Pattern}` | {Who(r)} | {(r.Limit == Limit.None ? "" : r.Limit.ToString().ToLowerInvariant())} |").ToList();
        written.Where(l => l.StartsWith("| `page ", StringComparison.Ordinal) || l.StartsWith("| `GET", StringComparison.Ordinal) || l.StartsWith("| `P", StringComparison.Ordinal) || l.StartsWith("| `DELETE", StringComparison.Ordinal))
            .ShouldBe(table, $"docs/access.md is behind RouteRules; its table must be:\n{string.Join('\n', table)}\n");
    }

    private static string Who(RouteRule rule) => rule.Needs switch
    {
        null => "anybody",
        Core.Access.Permission.Read => "viewer",
        Core.Access.Permission.Ingest => "operator",
        Core.Access.Permission.Review => "reviewer",
        Core.Access.Permission.Administer => "administrator",
        _ => "owner",
    };

    /// <summary>Every route with each of its methods. Assets are files that anybody may have.</summary>
    internal static List<(string Pattern, string Method)> Routes(IServiceProvider services) =>
        [.. Endpoints(services).SelectMany(e => Methods(e).Select(m => (e.RoutePattern.RawText!, m))).Distinct()];

    // Assets, and what answers for those that are not built in.
    private static IEnumerable<RouteEndpoint> Endpoints(IServiceProvider services) => services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        .Where(e => e.Metadata.GetMetadata<StaticAssetDescriptor>() is null && e.RoutePattern.RawText != "{**path:file}");

    private static IEnumerable<string> Methods(RouteEndpoint endpoint) =>
        endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods ? methods.Where(m => m != HttpMethods.Head) : [HttpMethods.Get];
}
