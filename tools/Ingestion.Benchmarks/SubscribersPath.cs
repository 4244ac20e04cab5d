using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Ingestion.Core.Data;

namespace Ingestion.Benchmarks;

/// <summary>
/// The program itself, ingesting a batch while many follow it, or while as many follow one that does nothing. Server, clients and pages
/// are processes of their own.
/// </summary>
internal static partial class SubscribersPath
{
    private const string Key = "a-key-of-the-benchmark-0123456789";

    public static async Task<Result> RunAsync(Inputs inputs, bool onRunning, int reading, int silent)
    {
        await using var rig = await Rig.StartDatabaseAsync();
        var folder = Directory.CreateTempSubdirectory("ingestion-followed-").FullName;
        using var program = Start(rig, inputs, folder);
        try
        {
            using var client = new HttpClient { BaseAddress = await AddressAsync(program), DefaultRequestHeaders = { { "X-Api-Key", Key } } };
            var names = PageServer.Names(inputs.Pages);
            await EndedAsync(client, await SubmitAsync(client, inputs, "warm-up", names.Take(Settings.WarmUp), start: true));
            var (batch, idle) = (await SubmitAsync(client, inputs, "measured", names.Skip(Settings.WarmUp), start: false), await SubmitAsync(client, inputs, "idle", names.Take(1), start: false));
            var samples = Path.Combine(folder, "samples");
            using var clients = await ClientsAsync(client.BaseAddress!, onRunning ? batch : idle, reading, silent, samples);

            var begun = Stopwatch.GetTimestamp();
            using (var started = await client.PostAsync($"/api/v1/batches/{batch}/start", null)) started.EnsureSuccessStatusCode();
            await EndedAsync(client, batch);
            var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;

            program.Refresh();
            var units = new Dictionary<string, double> { ["documents"] = names.Count - Settings.WarmUp, ["memory"] = program.WorkingSet64, ["p95"] = 0 };
            var notes = new List<string>();
            if (clients is not null)
            {
                clients.StandardInput.Close();
                notes.Add((await clients.StandardOutput.ReadToEndAsync()).Trim());
                await clients.WaitForExitAsync();
                if (onRunning && reading > 0) Judge(await Lateness.ReadAsync(rig.Database, batch, samples), units, notes);
            }
            return new(seconds, units, notes);
        }
        finally
        {
            program.StandardInput.Close();
            program.Kill(entireProcessTree: false);
            await program.WaitForExitAsync();
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Judge(IReadOnlyList<double> late, Dictionary<string, double> units, List<string> notes)
    {
        if (late.Count == 0) throw new InvalidOperationException("No reader was told of anything.");
        units["p95"] = late[(int)(late.Count * 0.95)];
        notes.Add(string.Create(CultureInfo.InvariantCulture, $"{late.Count:N0} samples of how late readers are: median {late[late.Count / 2]:0.00} s, 95 % {units["p95"]:0.00} s, longest {late[^1]:0.00} s"));
    }

    private static Process Start(Rig rig, Inputs inputs, string folder)
    {
        // Beside this tool's own output, in the same configuration.
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var program = Path.Combine(output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName, "Ingestion.Admin", "bin", output.Parent.Name, output.Name, "ingestion.dll");
        var authority = inputs.PageServer.Authority;
        return Process.Start(new ProcessStartInfo("dotnet",
        [
            program, $"--ConnectionStrings:Ingestion={rig.Database.ConnectionString}", "--Ingestion:Limits:OpenSockets=0", "--Ingestion:Limits:SocketsPerMinute=0",
            $"--Ingestion:Acquire:AllowedTargets:0={authority}", "--Ingestion:Acquire:RequestsPerMinutePerHost=0", $"--Ingestion:Acquire:ConnectionsPerHost={Settings.Requests}", "--Logging:LogLevel:Default=Warning",
        ])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = folder,
            Environment = { ["INGESTION_DATA"] = folder, ["INGESTION_PORT"] = "0", ["INGESTION_BOOTSTRAP_KEY"] = Key },
        }) ?? throw new InvalidOperationException("The program cannot be started.");
    }

    private static async Task<Uri> AddressAsync(Process program)
    {
        while (await program.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Ready().Match(line) is not { Success: true } ready) continue;
            // What it writes from here on is read, so that it never waits for us.
            _ = program.StandardOutput.ReadToEndAsync();
            return new($"http://127.0.0.1:{ready.Groups[1].Value}");
        }
        throw new InvalidOperationException("The program ended before it was ready.");
    }

    private static async Task<string> SubmitAsync(HttpClient client, Inputs inputs, string name, IEnumerable<string> pages, bool start)
    {
        using var answer = await client.PostAsJsonAsync("/api/v1/batches", new
        {
            name, auto_start = start, urls = pages.Select(p => new Uri(inputs.PageServer, p).AbsoluteUri), options = new { max_workers = Settings.Workers },
        });
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!;
    }

    private static async Task EndedAsync(HttpClient client, string batch)
    {
        while (true)
        {
            var state = (await client.GetFromJsonAsync<JsonElement>($"/api/v1/batches/{batch}")).GetProperty("state").GetString();
            if (state == "completed") return;
            if (state is "failed" or "cancelled") throw new InvalidOperationException($"The batch ended as {state}.");
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    // Null where nobody follows.
    private static async Task<Process?> ClientsAsync(Uri server, string job, int reading, int silent, string samples)
    {
        if (reading + silent == 0) return null;
        var clients = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [SubscriberClients.Verb, server.AbsoluteUri, job, $"{reading}", $"{silent}", samples])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, Environment = { [SubscriberClients.KeyVariable] = Key },
        }) ?? throw new InvalidOperationException("The clients cannot be started.");
        return await clients.StandardOutput.ReadLineAsync() == SubscriberClients.Connected ? clients : throw new InvalidOperationException("Not all clients were connected.");
    }

    [GeneratedRegex(@"Ingestion is ready\..*http://localhost:(\d+)/", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Ready();
}

/// <summary>How late sampled readers were told: of facts by their numbers, of ended documents by their count.</summary>
internal static class Lateness
{
    /// <summary>Seconds, in order.</summary>
    public static async Task<IReadOnlyList<double>> ReadAsync(Database database, string batch, string samples)
    {
        var (facts, ends) = (await TimesAsync(database, batch, "true"), await TimesAsync(database, batch, "e.kind IN ('item_done', 'item_skipped', 'item_failed')"));
        var (bySeq, late, told) = (facts.ToDictionary(f => f.Seq, f => f.At), new List<double>(), new Dictionary<string, int>());
        foreach (var line in await File.ReadAllLinesAsync(samples))
        {
            // kind, reader, number, time
            var part = line.Split(' ');
            var (number, at) = (int.Parse(part[2], CultureInfo.InvariantCulture), long.Parse(part[3], CultureInfo.InvariantCulture));
            if (part[0] == "fact")
            {
                if (bySeq.TryGetValue(number, out var written)) late.Add(Seconds(written, at));
                continue;
            }
            // A count tells of all that ended since the one before.
            for (var n = told.GetValueOrDefault(part[1]); n < Math.Min(number, ends.Count); n++) late.Add(Seconds(ends[n].At, at));
            told[part[1]] = Math.Max(told.GetValueOrDefault(part[1]), number);
        }
        late.Sort();
        return late;
    }

    private static double Seconds(DateTime written, long ticks) => Math.Max(0, new TimeSpan(ticks - written.Ticks).TotalSeconds);

    private static async Task<List<(int Seq, DateTime At)>> TimesAsync(Database database, string batch, string which)
    {
        await using var command = database.Worker.CreateCommand($"SELECT e.seq, e.at FROM ingestion.import_event e JOIN ingestion.import_batch b ON b.id = e.batch_id WHERE b.public_id = $1 AND {which} ORDER BY e.seq");
        command.Parameters.Add(new() { Value = batch });
        await using var r = await command.ExecuteReaderAsync();
        var times = new List<(int, DateTime)>();
        while (await r.ReadAsync()) times.Add(((int)r.GetInt64(0), r.GetFieldValue<DateTime>(1)));
        return times;
    }
}
