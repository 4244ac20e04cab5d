using System.Diagnostics;
using System.Net.Http.Json;
using Ingestion.Core.Data;
using Ingestion.Core.Events;
using Ingestion.Tests.Support;
using Npgsql;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

/// <summary>F26: many follow one job over a restart, and one in ten of them never reads.</summary>
[Collection(RunningProgram.Name)]
public sealed class SubscribersTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    [Fact, Trait("Category", "Long")]
    public Task Readers_are_served_whoever_does_not_read() => RunAsync(300, facts: 1500, dropped: false);

    [Fact, Trait("Category", "Long")]
    public Task Thousands_are_served_and_who_does_not_read_is_dropped() => RunAsync(3000, facts: 3000, dropped: true);

    private static async Task RunAsync(int subscribers, int facts, bool dropped)
    {
        using var data = new TemporaryDirectory("subscribers-");
        await using var test = await PostgresServer.CreateDatabaseAsync();
        await using var database = new Database(test.ConnectionString);
        (string, string)[] settings = [("ConnectionStrings:Ingestion", test.ConnectionString), ("Ingestion:Limits:OpenSockets", "0"), ("Ingestion:Limits:SocketsPerMinute", "0")];
        var app = await AppProcess.StartAsync(data.Path, settings);
        try
        {
            var (batch, job) = await HeldBatch.MakeAsync(database.Worker, "administrator");

            var address = app.Client.BaseAddress!;
            await using var all = new Subscribers(job, () => address);
            var silent = subscribers / 10;
            var reading = subscribers - silent;
            all.Add(reading / 2, reading - reading / 2);
            await Eventually.IsAsync(() => Task.FromResult(all.Open == reading), "all are connected", 90);
            for (var i = 0; i < silent; i++) await all.AddSilentAsync(stream: i % 2 == 0);
            // What the first of everything costs is not what a subscriber costs.
            await WriteAsync(database, all, batch, facts / 5);
            await all.ReadAsync(facts / 5 * (reading / 2));
            var (before, sockets, clock) = (app.WorkingSet, Sockets(app.Id), Stopwatch.StartNew());

            await WriteAsync(database, all, batch, facts);
            var written = clock.Elapsed;
            await all.ReadAsync((facts + facts / 5) * (reading / 2));
            var (after, read) = (app.WorkingSet, clock.Elapsed);
            var listening = (await database.Worker.QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ingestion_listener'")).Single();
            var connections = (await database.Worker.QueryAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")).Single();
            if (dropped) await DroppedAsync(app, sockets - silent + silent / 10);

            var stopping = Stopwatch.StartNew();
            await app.StopAsync();
            var stopped = stopping.Elapsed;
            await app.DisposeAsync();
            app = await AppProcess.StartAsync(data.Path, settings);
            address = app.Client.BaseAddress!;
            await Eventually.IsAsync(() => Task.FromResult(all.Open == reading), "all have come again", 90);
            await WriteAsync(database, all, batch, 50);
            using (var cancelled = await app.Client.PostAsJsonAsync($"/batch/jobs/{job}/control", new { action = "cancel" })) cancelled.IsSuccessStatusCode.ShouldBeTrue();
            await all.AllAsync.WaitAsync(Patience);

            var lags = all.Lags.Order().ToList();
            var grown = Math.Max(0, after - before);
            Console.WriteLine($"F26 subscribers: {reading} reading and {silent} not; {facts} facts each, written in {written.TotalSeconds:0.0} s and read by all in {read.TotalSeconds:0.0} s; lag p50 {lags[lags.Count / 2]:0} ms, p95 {lags[lags.Count * 95 / 100]:0} ms, longest {lags[^1]:0} ms; "
                + $"memory {before >> 20} -> {after >> 20} MiB, {grown / 1024.0 / subscribers:0} kB a subscriber; {listening} listening of {connections} connections; stopped in {stopped.TotalSeconds:0.0} s; faults {all.Faults.Count}: {(all.Faults.IsEmpty ? "PASS" : "FAIL")}");
            all.Faults.ShouldBeEmpty();
            listening.ShouldBe(1, "one connection listens for all");
            connections.ShouldBeLessThan(80);
            grown.ShouldBeLessThan(silent * 100_000L + reading * 50_000L + (150L << 20), "who does not read costs a bounded amount");
            lags[lags.Count * 95 / 100].ShouldBeLessThan(15_000, "readers are not starved");
            stopped.ShouldBeLessThan(TimeSpan.FromSeconds(30));
        }
        finally
        {
            await app.DisposeAsync();
        }
    }

    // In groups, as settlings come; the hint as another process gives it.
    private static async Task WriteAsync(Database database, Subscribers all, long batch, int facts)
    {
        var data = $$"""{"text":"{{new string('x', 600)}}"}""";
        foreach (var group in Enumerable.Range(0, facts).Chunk(25))
        {
            await using var connection = await database.Worker.OpenConnectionAsync();
            await using (var transaction = await connection.BeginTransactionAsync())
            {
                var last = await ImportEvents.AppendAsync(connection, batch, [.. group.Select(_ => new NewEvent(EventKinds.StageDone, Stage: "acquire", Data: data))], CancellationToken.None);
                var now = TimeProvider.System.GetUtcNow();
                for (var n = 0; n < group.Length; n++) all.Written[last - n] = now;
                await transaction.CommitAsync();
            }
            await using var hint = new NpgsqlCommand("SELECT pg_notify($1, $2)", connection) { Parameters = { new() { Value = Hints.Channel }, new() { Value = $"{batch}" } } };
            await hint.ExecuteNonQueryAsync();
        }
    }

    private static async Task DroppedAsync(AppProcess app, int most)
    {
        // Counting thousands of files is work for the server's kernel too: now and then will do.
        using var now = new PeriodicTimer(TimeSpan.FromSeconds(1));
        var clock = Stopwatch.StartNew();
        int left;
        while ((left = Sockets(app.Id)) > most && await now.WaitForNextTickAsync())
            clock.Elapsed.ShouldBeLessThan(Patience, $"who does not read is dropped: {left} sockets are open, {most} would do");
    }

    private static int Sockets(int process) =>
        Directory.GetFiles($"/proc/{process}/fd").Count(f => new FileInfo(f).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) is true);
}
