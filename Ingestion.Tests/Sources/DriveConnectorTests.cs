using System.Text;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Sources.SourceMaking;

namespace Ingestion.Tests.Sources;

public sealed class DriveConnectorTests
{
    private const string Folder = "application/vnd.google-apps.folder";

    [Fact]
    public async Task Folders_shortcuts_and_documents_of_its_own_become_documents()
    {
        var (server, drive) = await FakeDrive.StartAsync();
        await using var _ = server;
        drive.PageSize = 2;
        drive.Files["root"] = new("Root", Folder, "", []);
        drive.Files["f1"] = new("one.txt", "text/plain", "root", "The first text."u8.ToArray());
        drive.Files["sub"] = new("Sub", Folder, "root", []);
        drive.Files["loop"] = new("Loop", "application/vnd.google-apps.shortcut", "sub", "root"u8.ToArray());
        drive.Files["f2"] = new("two.md", "text/markdown", "sub", "# Two\n\nThe second text."u8.ToArray());
        drive.Files["sheet"] = new("Sheet", "application/vnd.google-apps.spreadsheet", "sub", "a,b\n1,2\n"u8.ToArray());
        drive.Files["form"] = new("Form", "application/vnd.google-apps.form", "root", []);
        drive.Files["away"] = new("away.txt", "text/plain", "elsewhere", "Reached by a shortcut."u8.ToArray());
        drive.Files["short"] = new("Short", "application/vnd.google-apps.shortcut", "root", "away"u8.ToArray());
        drive.Files["bin"] = new("bin.txt", "text/plain", "root", "In the bin."u8.ToArray()) { Trashed = true };
        await using var host = await StartAsync(server, drive);
        (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, "gdrive_conn_1", CancellationToken.None))!.ShouldBe(new ControlResult(true, "The connection works."));
        var batch = await host.SubmitAsync(Taking("google_drive", "gdrive_conn_1"));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string> { ["f1"] = "done", ["f2"] = "done", ["sheet"] = "done", ["form"] = "skipped", ["away"] = "done" }, ignoreOrder: true);
        drive.TokensGiven.ShouldBe(1);
        await host.VerifiedAsync();

        // Named by their ids, with one that is in the bin and one that is not there.
        var named = await host.SubmitAsync(Taking("google_drive", "gdrive_conn_1", ["f1", "bin", "nowhere"]));
        await host.EndedAsync(named);
        (await host.EndsAsync(named)).ShouldBe(new Dictionary<string, string> { ["f1"] = "skipped", ["bin"] = "gone", ["nowhere"] = "not_found" }, ignoreOrder: true);
    }

    [Fact]
    public async Task Incomplete_list_marks_nothing_as_gone()
    {
        var (server, drive) = await FakeDrive.StartAsync();
        await using var _ = server;
        drive.Files["root"] = new("Root", Folder, "", []);
        for (var i = 0; i < 4; i++) drive.Files[$"f{i}"] = new($"{i}.txt", "text/plain", "root", Encoding.UTF8.GetBytes($"Text {i}."));
        await using var host = await StartAsync(server, drive);
        await host.EndedAsync(await host.SubmitAsync(Taking("google_drive", "gdrive_conn_1")));
        drive.Files.TryRemove("f3", out var removed);
        drive.Incomplete = true;
        await host.EndedAsync(await host.SubmitAsync(Taking("google_drive", "gdrive_conn_1")));
        var run = await host.LastRunAsync("gdrive_conn_1");
        (run.Gone, run.Unchanged).ShouldBe((0, 3));
        run.Note!.ShouldContain("incomplete");
    }

    [Fact]
    public async Task Drive_without_a_change_is_not_listed_again()
    {
        var (server, drive) = await FakeDrive.StartAsync();
        await using var _ = server;
        drive.Files["root"] = new("Root", Folder, "", []);
        for (var i = 0; i < 3; i++) drive.Files[$"f{i}"] = new($"{i}.txt", "text/plain", "root", Encoding.UTF8.GetBytes($"Text {i}."));
        await using var host = await StartAsync(server, drive);
        async Task<(int Lists, int New, int Changed, int Unchanged, int Gone)> SyncAsync(int without = 0)
        {
            var before = drive.Lists;
            await host.EndedAsync(await host.SubmitAsync(Taking("google_drive", "gdrive_conn_1") with { Options = new() { SkipExisting = without == 0 } }));
            var run = await host.LastRunAsync("gdrive_conn_1");
            run.Note.ShouldBeNull();
            return (drive.Lists - before, run.Added, run.Changed, run.Unchanged, run.Gone);
        }

        (await SyncAsync()).ShouldBe((1, 3, 0, 0, 0));
        (await SyncAsync()).ShouldBe((0, 0, 0, 3, 0));
        drive.Files["f1"] = drive.Files["f1"] with { Content = "Another text 1."u8.ToArray() };
        (await SyncAsync()).ShouldBe((1, 0, 1, 2, 0));
        (await SyncAsync()).ShouldBe((0, 0, 0, 3, 0));
        drive.Files.TryRemove("f2", out var removed);
        (await SyncAsync()).ShouldBe((1, 0, 0, 2, 1));
        (await SyncAsync()).ShouldBe((1, 0, 0, 2, 1), "what is missing is looked for once more before it counts as gone");
        drive.Files["f2"] = removed!;
        (await SyncAsync()).ShouldBe((1, 0, 0, 3, 0));
        (await SyncAsync(without: 1)).Lists.ShouldBe(1, "everything is wanted again");
        await host.Get<SourceConnections>().ChangeAsync(PipelineHost.Actor, "gdrive_conn_1", new(Name: "Another name"), CancellationToken.None);
        (await SyncAsync()).Lists.ShouldBe(1, "a connection that was changed may see other things");
        await host.QueryAsync<object>("UPDATE ingestion.sync_source SET feed = '9999 ' || split_part(feed, ' ', 2)");
        (await SyncAsync()).Lists.ShouldBe(1, "a position that is not known there is worth nothing");
        (await SyncAsync()).Lists.ShouldBe(0);
        drive.Files["f1"] = drive.Files["f1"] with { Drive = "0AShared" };
        await SyncAsync();
        (await SyncAsync()).Lists.ShouldBe(1, "the account's feed does not tell of shared drives");
        await host.VerifiedAsync();
    }

    [Theory]
    [InlineData("{}", "client_email")]
    [InlineData("no json", "client_email")]
    [InlineData("""{"client_email":"a@b","private_key":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}""", "client_email")]
    [InlineData("", "Neither a service account")]
    public async Task Test_says_what_is_missing(string account, string sentence)
    {
        await using var host = await PipelineHost.StartAsync();
        await host.ConnectAsync("google_drive", "d", account.Length == 0 ? new { } : new { service_account = account });
        (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, "d", CancellationToken.None))!.Message.ShouldContain(sentence);
    }

    [Fact]
    public async Task Wrong_key_and_folder_that_is_not_shared_are_named()
    {
        var (server, drive) = await FakeDrive.StartAsync();
        var (other, stranger) = await FakeDrive.StartAsync();
        await using var _ = server;
        await using var _2 = other;
        await using var host = await StartAsync(server, drive);
        (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, "gdrive_conn_1", CancellationToken.None))!.Message.ShouldContain("the folder root is not there, or is not shared");
        var forged = stranger.ServiceAccount.Replace(other.Target, server.Target, StringComparison.Ordinal);
        await host.Get<SourceConnections>().ChangeAsync(PipelineHost.Actor, "gdrive_conn_1", new(Settings: Json(new { service_account = forged, endpoint = $"http://{server.Target}" })), CancellationToken.None);
        var result = (await host.Get<ConnectionTests>().RunAsync(PipelineHost.Actor, "gdrive_conn_1", CancellationToken.None))!;
        result.Message.ShouldContain("gives no token");
        result.Message.ShouldNotContain("PRIVATE");
    }

    private static async Task<PipelineHost> StartAsync(FixtureHost server, FakeDrive drive)
    {
        var host = await PipelineHost.StartAsync(("Ingestion:Acquire:AllowedTargets:0", server.Target));
        await host.ConnectAsync("google_drive", "gdrive_conn_1", drive.Settings);
        return host;
    }
}
