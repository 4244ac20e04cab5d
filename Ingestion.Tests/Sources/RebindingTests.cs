using System.Diagnostics;
using System.Text.Json;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

/// <summary>Names that lead somewhere else when they are looked up again, asked of a real resolver in a network of its own.</summary>
public sealed class RebindingTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [OwnNamesFact]
    public async Task Only_addresses_that_were_judged_are_connected_to()
    {
        var report = await RunAsync();

        report.Unguarded.ShouldBe(["outer", "inner"], "an ordinary client is led inside");
        report.Heard.ShouldBe(0);
        report.Ends.ShouldBe(new Dictionary<string, string>
        {
            ["http://steady.example.com/a"] = "done",
            // Public when it was judged, inside ever after: the connection went where the judgement was made, and the next is judged anew.
            ["http://turning.example.com/first"] = "done",
            ["http://turning.example.com/second"] = "blocked_url",
            ["http://hopping.example.com/hop"] = "blocked_url",
            // Inside when it was judged: that it would be public now helps nothing.
            ["http://inward.example.com/"] = "blocked_url",
            // Public and inner addresses in one answer, in either order, of either version.
            ["http://late.example.com/"] = "blocked_url",
            ["http://early.example.com/"] = "blocked_url",
            ["http://six.example.com/"] = "blocked_url",
            ["http://mapped.example.com/"] = "blocked_url",
            ["http://steady.example.com/away"] = "blocked_url",
        }, ignoreOrder: true);
        report.Crawled.ShouldBe(new Dictionary<string, string>
        {
            ["http://site.example.com/site/"] = "document", ["http://site.example.com/site/a.html"] = "blocked_url", ["http://site.example.com/site/b.html"] = "blocked_url",
        }, ignoreOrder: true);
        foreach (var name in new[] { "inward", "late", "early", "six", "mapped", "inner" }) report.LookUps[$"{name}.example.com"].ShouldBe(1, name);
        (report.LookUps["turning.example.com"], report.LookUps["hopping.example.com"]).ShouldBe((2, 2));
        Console.WriteLine($"rebinding: {string.Join(", ", report.Ends.Select(e => $"{e.Key} {e.Value}"))}; crawl {string.Join(", ", report.Crawled.Select(c => $"{c.Key} {c.Value}"))}; {report.Heard} connections inside, {report.LookUps.Values.Sum()} look-ups");
    }

    private static async Task<RebindingReport> RunAsync()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync();
        using var folder = new TemporaryDirectory("names-");
        var assembly = typeof(RebindingHost).Assembly.Location;
        string[] command = [.. OwnNetwork.WithNames(folder.Path, RebindingHost.Addresses), "dotnet", "exec", assembly];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        start.Environment[RebindingHost.DatabaseVariable] = database.ConnectionString;
        start.Environment["DOTNET_STARTUP_HOOKS"] = assembly;
        using var process = Process.Start(start)!;
        using var guard = new ProcessGuard(process.Id);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(Patience));
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, await errors);
        return JsonSerializer.Deserialize<RebindingReport>(await output)!;
    }
}

/// <summary>Skipped where a network with names of its own cannot be made.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class OwnNamesFactAttribute : FactAttribute
{
    public OwnNamesFactAttribute() => Skip = OwnNetwork.NamesProblem;
}
