using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Ingestion.Admin.Cli;
using Ingestion.Core.Data;
using Ingestion.Core.Postgres;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class VerifyCommandTests : IAsyncLifetime
{
    private readonly TemporaryDirectory _data = new();
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await PostgresServer.CreateDatabaseAsync();

    public async Task DisposeAsync()
    {
        await _database.DisposeAsync();
        _data.Dispose();
    }

    [Fact]
    public async Task Clean_database_ends_with_0_and_a_broken_one_with_1_and_its_violations()
    {
        var (code, text) = await RunAsync("verify");
        (code, text.Contains("Clean: 0 violations.", StringComparison.Ordinal)).ShouldBe((0, true), text);

        await using (var database = new Database(_database.ConnectionString)) await new Make(database.Worker).Item(await new Make(database.Worker).Batch());
        (code, text) = await RunAsync("verify", "--json");
        code.ShouldBe(1);
        var report = JsonDocument.Parse(text).RootElement;
        report.GetProperty("clean").GetBoolean().ShouldBeFalse();
        var broken = report.GetProperty("checks").EnumerateArray().Single(c => c.GetProperty("name").GetString() == "open_item_has_open_task");
        (broken.GetProperty("invariant").GetString(), broken.GetProperty("violations").GetInt32()).ShouldBe(("I1", 1));
        broken.GetProperty("first")[0].GetProperty("sentence").GetString()!.ShouldContain("has no ready, running or blocked task");
    }

    [Fact]
    public async Task Migrate_can_be_repeated() => (await RunAsync("migrate")).Code.ShouldBe(0);

    [Fact]
    public async Task Without_a_running_server_verify_starts_the_data_directorys_own_and_stops_it()
    {
        using var own = new TemporaryDirectory("verify-").Traversable();
        var output = new StringWriter();
        (await Line(new MigrateCommand()).RunAsync(["migrate", $"--Ingestion:Data={own.Path}"], output)).ShouldBe(0);
        (await Line(new VerifyCommand()).RunAsync(["verify", $"--Ingestion:Data={own.Path}"], output)).ShouldBe(0, output.ToString());
        EmbeddedPostgres.TryFind(own.Path).ShouldBeNull();
    }

    [Fact]
    public async Task Administrator_asks_over_http_and_nobody_else()
    {
        await using var app = new AdminApp();
        using var refused = await app.Caller().GetAsync("/api/v1/verify");
        refused.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var answer = await app.Caller(AdminApp.Key).GetAsync("/api/v1/verify?full=true");
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        var report = await answer.Content.ReadFromJsonAsync<JsonElement>();
        (report.GetProperty("clean").GetBoolean(), report.GetProperty("violations").GetInt64()).ShouldBe((true, 0L));
        report.GetProperty("checks").GetArrayLength().ShouldBeGreaterThan(40);
    }

    private async Task<(int Code, string Output)> RunAsync(params string[] args)
    {
        var output = new StringWriter();
        var code = await new CommandLine((_, _) => Task.FromResult(9)).Add(new VerifyCommand()).Add(new MigrateCommand())
            .RunAsync([.. args, $"--Ingestion:Data={_data.Path}", $"--ConnectionStrings:Ingestion={_database.ConnectionString}"], output);
        return (code, output.ToString());
    }

    private static CommandLine Line(System.CommandLine.Command verb) => new CommandLine((_, _) => Task.FromResult(9)).Add(verb);
}
