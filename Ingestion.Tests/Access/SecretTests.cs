using System.Net;
using System.Net.Http.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Settings;
using Ingestion.Tests.Admin;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access;

public sealed class SecretTests : DatabaseTest
{
    private const string Secret = "s3cr3t-of-the-wiki-9f1c";
    private static readonly Actor Actor = new(Tenant.Default, "test");

    [Fact]
    public async Task Restart_and_second_process_with_the_same_master_key_read_what_was_set()
    {
        using var data = new TemporaryDirectory();
        await using (var first = Services(data)) await first.GetRequiredService<SecretBox>().SetAsync(Actor, "connection/wiki", Secret, CancellationToken.None);
        await using var second = Services(data);
        (await second.GetRequiredService<SecretBox>().ReadAsync("default", "connection/wiki", CancellationToken.None)).ShouldBe(Secret);
    }

    [Fact]
    public async Task Machines_share_the_ring_by_the_setting()
    {
        using TemporaryDirectory one = new(), two = new();
        var setting = new Dictionary<string, string?> { ["Ingestion:Access:KeyRingSecret"] = "the same long secret on every machine" };
        await using (var first = Services(one, setting)) await first.GetRequiredService<SecretBox>().SetAsync(Actor, "webhook/1", Secret, CancellationToken.None);
        await using var second = Services(two, setting);
        (await second.GetRequiredService<SecretBox>().ReadAsync("default", "webhook/1", CancellationToken.None)).ShouldBe(Secret);
    }

    [Fact]
    public async Task Lost_ring_asks_for_the_secret_again_and_breaks_nothing_else()
    {
        using TemporaryDirectory one = new(), two = new();
        await using (var first = Services(one)) await first.GetRequiredService<SecretBox>().SetAsync(Actor, "connection/wiki", Secret, CancellationToken.None);
        await using var second = Services(two);
        var box = second.GetRequiredService<SecretBox>();
        (await box.ListAsync("default", CancellationToken.None)).ShouldHaveSingleItem().Readable.ShouldBeFalse();
        var lost = await Should.ThrowAsync<IngestionException>(() => box.ReadAsync("default", "connection/wiki", CancellationToken.None));
        (lost.Code, lost.Code.Remedy).ShouldBe((ErrorCodes.SecretMissing, "Enter the secret again."));
        await box.SetAsync(Actor, "connection/wiki", "another", CancellationToken.None);
        (await box.ReadAsync("default", "connection/wiki", CancellationToken.None)).ShouldBe("another");
    }

    [Fact]
    public async Task Row_that_is_moved_to_another_tenant_or_name_does_not_open_there()
    {
        using var data = new TemporaryDirectory();
        await using var services = Services(data);
        await Make.OtherTenant("other");
        await services.GetRequiredService<SecretBox>().SetAsync(Actor, "connection/wiki", Secret, CancellationToken.None);
        await ExecuteAsync("INSERT INTO ingestion.secret (tenant_id, name, sealed, set_by) SELECT 'other', name, sealed, set_by FROM ingestion.secret");
        await Should.ThrowAsync<IngestionException>(() => services.GetRequiredService<SecretBox>().ReadAsync("other", "connection/wiki", CancellationToken.None));
    }

    [Fact]
    public async Task Ring_in_the_database_is_sealed_and_its_master_key_is_ours_alone()
    {
        using var data = new TemporaryDirectory();
        await using (var services = Services(data)) await services.GetRequiredService<SecretBox>().SetAsync(Actor, "a", Secret, CancellationToken.None);
        var xml = string.Concat(await QueryAsync<string>("SELECT xml FROM ingestion.protection_key"));
        xml.ShouldContain("<sealed");
        xml.ShouldNotContain("<masterKey");
        if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(Path.Combine(data.Path, "keys", "master")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Fact]
    public async Task Two_processes_that_start_at_once_have_one_master_key()
    {
        using var data = new TemporaryDirectory();
        var boxes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => new MasterKey(
            Microsoft.Extensions.Options.Options.Create(new AccessOptions()), new DataDirectory(Microsoft.Extensions.Options.Options.Create(new Core.IngestionOptions { Data = data.Path }))).Seal([1, 2, 3]))));
        var key = new MasterKey(Microsoft.Extensions.Options.Options.Create(new AccessOptions()), new DataDirectory(Microsoft.Extensions.Options.Options.Create(new Core.IngestionOptions { Data = data.Path })));
        boxes.ShouldAllBe(b => key.Open(b).SequenceEqual(new byte[] { 1, 2, 3 }));
    }

    private ServiceProvider Services(TemporaryDirectory data, Dictionary<string, string?>? settings = null) =>
        new ServiceCollection().AddCore(new Database(Test.ConnectionString), data.Path, settings).BuildServiceProvider();
}

/// <summary>Searches what a run of the real program leaves behind for every secret that it was given.</summary>
public sealed class LeftBehindTests
{
    [Fact]
    public async Task Dump_of_database_and_log_hold_no_secret()
    {
        using var data = new TemporaryDirectory("left-behind-").Traversable();
        const string password = "the-owners-pass-phrase-5b1", value = "value-of-a-secret-77aa1", ring = "ring-secret-of-this-test-0123456789";
        string dump, key, log;
        await using (var app = await AppProcess.StartAsync(data.Path, ("Ingestion:Access:KeyRingSecret", ring), ("Logging:LogLevel:Default", "Debug")))
        {
            (await app.Client.PutAsJsonAsync("/api/v1/secrets/connection/wiki", new { value })).StatusCode.ShouldBe(HttpStatusCode.NoContent);
            var link = app.Output.Split("Sign in once with ")[1].Split('\n')[0].Trim();
            using var browser = new HttpClient();
            (await browser.GetAsync(link)).IsSuccessStatusCode.ShouldBeTrue();
            var owner = (await AppProcess.JsonAsync(await app.Client.GetAsync("/api/v1/users"))).GetProperty("users")[0].GetProperty("id").GetString();
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(app.Client.BaseAddress!, "/api/v1/keys")) { Content = JsonContent.Create(new { name = "k", scope = "admin" }) };
            request.Headers.Add("X-Requested-With", "ingestion");
            key = (await AppProcess.JsonAsync(await browser.SendAsync(request))).GetProperty("key").GetString()!;
            await browser.PostAsync(new Uri(app.Client.BaseAddress!, "/sign-in"), new FormUrlEncodedContent([new("Input.Password", password), new("Input.UserName", owner!)]));
            await app.SubmitAsync(new { name = "b", urls = new[] { new { url = "http://127.0.0.1:1/x" } } });
            dump = await DumpAsync(data.Path);
            log = app.Output.Replace(link, "", StringComparison.Ordinal);
            dump.ShouldContain("connection/wiki");
            foreach (var secret in new[] { value, ring, key, password, AppProcess.Key, link.Split('=')[1] })
            {
                dump.ShouldNotContain(secret);
                log.ShouldNotContain(secret);
            }
        }
        Console.WriteLine($"searched {dump.Length:N0} characters of dump and {log.Length:N0} of log for 6 secrets: 0 found");
    }

    // Every row of every table as text: what pg_dump would write.
    private static async Task<string> DumpAsync(string data)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(Core.Postgres.PostgresRoles.For(Core.Postgres.EmbeddedPostgres.TryFind(data)!, Core.Postgres.PostgresRoles.Owner));
        var tables = await source.QueryAsync<string>("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'ingestion' ORDER BY 1");
        tables.Count.ShouldBeGreaterThan(25);
        var rows = new List<string>();
        foreach (var table in tables) rows.AddRange(await source.QueryAsync<string>($"SELECT '{table} ' || t::text FROM {table} t"));
        return string.Join('\n', rows);
    }
}
