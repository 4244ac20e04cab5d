using System.Text;
using System.Text.Json;
using Ingestion.Tests.Postgres;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Chaos;

/// <summary>F15: documents that kill their parser, and one that kills the program. F16: five hundred documents, a fifth of which misbehave.</summary>
[Collection(RunningProgram.Name)]
[Trait("Category", "Long")]
public sealed class PoisonTests(ITestOutputHelper output)
{
    private const int Good = 20;

    [Fact]
    public async Task Poison_is_told_by_name_and_the_others_finish()
    {
        using var report = new ChaosReport(output, "F15 poison");
        await using var run = ChaosRun.Embedded(await KrithiSite.MadeUpAsync(1, seed: 15));
        const string faults = "in_parser@segv.html:*=segv;in_parser@exit.html:*=exit;in_parser@memory.html:*=memory;while_parsing@host.html:*=kill";
        var app = run.Begin(faults);
        await app.ReadyAsync();
        try
        {
            // Not beside the one that kills the program: whatever is at work at each of its three deaths is held for a killer as well.
            var killers = await SubmitAsync(app, ["segv.html", "exit.html", "memory.html"], new { max_workers = 8, max_retries = 2 });
            await app.EndedAsync(killers, ChaosRun.Patience);
            var id = await SubmitAsync(app, ["host.html", .. Enumerable.Range(0, Good).Select(n => $"good {n}.html")], new { max_workers = 8, max_retries = 2 });
            var deaths = 0;
            while (true)
            {
                var death = app.ExitAsync(ChaosRun.Patience);
                var end = EndedOrDeadAsync(app, id);
                if (await Task.WhenAny(death, end) == end && await end) break;
                await death;
                deaths++;
                deaths.ShouldBeLessThanOrEqualTo(3, "a loop of crashes");
                await app.DisposeAsync();
                app = run.Begin(faults);
                await app.ReadyAsync();
            }
            deaths.ShouldBe(3);

            var items = (await ItemsAsync(app, id)).Concat(await ItemsAsync(app, killers)).ToDictionary();
            Error(items["host.html"]).ShouldBe("crashed_worker");
            items["host.html"].GetProperty("error").GetProperty("message").GetString()!.ShouldContain("3 times");
            Error(items["segv.html"]).ShouldBe("parser_crashed");
            items["segv.html"].GetProperty("error").GetProperty("message").GetString()!.ShouldContain("SIGSEGV");
            Error(items["exit.html"]).ShouldBe("parser_crashed");
            items["exit.html"].GetProperty("error").GetProperty("message").GetString()!.ShouldContain("exit code 3");
            Error(items["memory.html"]).ShouldBe("limit_exceeded");
            items.Where(i => i.Key.StartsWith("good", StringComparison.Ordinal)).ShouldAllBe(i => i.Value.GetProperty("state").GetString() == "done");
            report.Figure($"{deaths} deaths of the program, then quarantined; SIGSEGV, exit code and memory named; {Good} of {Good} others done");
            await run.CheckAsync(report, endings: false);
            report.Pass();
        }
        finally
        {
            await app.DisposeAsync();
        }
    }

    [Fact]
    public async Task Five_hundred_documents_of_which_a_fifth_misbehave()
    {
        const int files = 500;
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        using var report = new ChaosReport(output, "F16 parser chaos", seed);
        await using var run = ChaosRun.Embedded(await KrithiSite.MadeUpAsync(1, seed));
        await using var app = run.Begin("in_parser@memory:*=memory;in_parser@hang:*=hang;in_parser@overflow:*=overflow", ("Ingestion:Pipeline:MaxConcurrentProcessing", "8"));
        await app.ReadyAsync();
        await using var sampler = run.Sample();
        var kinds = Enumerable.Range(0, files).Select(n => (n % 100) switch { < 10 => "memory", < 15 => "hang", < 20 => "overflow", _ => "fine" }).ToArray();
        random.Shuffle(kinds);
        var before = app.WorkingSet;
        var id = await SubmitAsync(app, [.. kinds.Select((k, n) => $"{k} {n}.html")], new { max_workers = 8, max_retries = 1, timeout_seconds = 10 });
        var peak = before;
        await app.BatchAsync(id, b =>
        {
            peak = Math.Max(peak, app.WorkingSet);
            return AppProcess.HasEnded(b);
        }, TimeSpan.FromMinutes(20));

        var items = await ItemsAsync(app, id);
        string Expected(string name) => name.Split(' ')[0] switch { "memory" => "limit_exceeded", "hang" => "parse_timeout", "overflow" => "parser_crashed", _ => "" };
        var wrong = items.Where(i => (Error(i.Value) ?? "") != Expected(i.Key)).Select(i => $"{i.Key}: {Error(i.Value)}").ToList();
        var children = Processes.Children(app.Id).ToList();
        var left = Directory.GetFiles(Path.Combine(run.Data, "work"));
        report.Figure($"{files} files: {items.Values.Count(i => i.GetProperty("state").GetString() == "done")} done, {wrong.Count} ended otherwise than they should, working set {before >> 20} to {peak >> 20} MiB, {left.Length} files left in the work folder");
        wrong.ShouldBeEmpty();
        children.Where(IsZombie).ShouldBeEmpty();
        left.ShouldBeEmpty();
        (peak - before).ShouldBeLessThan(256L << 20);
        await run.CheckAsync(report, sampler, endings: false);
        report.Pass();
    }

    private static async Task<string> SubmitAsync(AppProcess app, IReadOnlyList<string> names, object options)
    {
        var uploads = new List<string>();
        foreach (var name in names) uploads.Add(await app.UploadAsync(name, Encoding.UTF8.GetBytes($"<!doctype html><title>{name}</title><main><p>The words of {name} are its own.</p></main>")));
        return await app.SubmitAsync(new { name = "poison", uploads, options });
    }

    // False where the program died meanwhile.
    private static async Task<bool> EndedOrDeadAsync(AppProcess app, string id)
    {
        try
        {
            await app.EndedAsync(id, ChaosRun.Patience);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<Dictionary<string, JsonElement>> ItemsAsync(AppProcess app, string id) =>
        (await app.GetAsync($"/api/v1/batches/{id}/items?take=1000")).GetProperty("items").EnumerateArray().ToDictionary(i => i.GetProperty("name").GetString()!);

    private static string? Error(JsonElement item) => item.GetProperty("error") is { ValueKind: JsonValueKind.Object } error ? error.GetProperty("code").GetString() : null;

    private static bool IsZombie(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // It has ended and was reaped.
            return false;
        }
    }
}
