using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Sources.SourceMaking;

namespace Ingestion.Tests.Sources;

public sealed class DirectoryConnectorTests
{
    [Fact]
    public async Task Everything_below_it_becomes_a_document_of_its_path()
    {
        using var files = new Tree();
        files.Text("one.txt", "The first text.").Text("deep/er/two.md", "# Two\n\nThe second text.").Text("deep/three.csv", "a,b\n1,2\n").Text(".hidden", "not seen").Text("deep/skip.bak", "not wanted");
        await using var host = await StartAsync(files);
        var batch = await host.SubmitAsync(Taking("local_directory", "docs", options: new { exclude = new[] { "*.bak" } }));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string> { ["one.txt"] = "done", ["deep/er/two.md"] = "done", ["deep/three.csv"] = "done" }, ignoreOrder: true);
        (await host.QueryAsync<string>("SELECT DISTINCT connection_id FROM ingestion.import_item")).ShouldBe(["docs"]);
        (await host.SearchAsync("second text")).ShouldNotBeEmpty();
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Named_files_are_items_and_a_missing_one_is_a_failed_item()
    {
        using var files = new Tree();
        files.Text("here.txt", "It is here.").Text("empty.txt", "");
        await using var host = await StartAsync(files);
        var batch = await host.SubmitAsync(Taking("local_directory", "docs", ["here.txt", "gone.txt", "here.txt", "empty.txt"]));
        await host.EndedAsync(batch);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string> { ["here.txt"] = "done", ["gone.txt"] = "missing_file", ["empty.txt"] = "empty" }, ignoreOrder: true);
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Nothing_outside_and_nothing_that_is_no_file_is_read()
    {
        using var files = new Tree();
        using var outside = new Tree();
        outside.Text("secret.txt", "The secret osprey.");
        files.Text("ok.txt", "A plain text.").Text("sub/inner.txt", "An inner text.");
        File.CreateSymbolicLink(files.At("link.txt"), outside.At("secret.txt"));
        Directory.CreateSymbolicLink(files.At("linked"), outside.Path);
        Directory.CreateSymbolicLink(files.At("sub/loop"), files.Path);
        await RunAsync("ln", outside.At("secret.txt"), files.At("hard.txt"));
        await RunAsync("mkfifo", files.At("pipe.txt"));
        await RunAsync("truncate", "-s", "1T", files.At("sparse.txt"));
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(files.At("socket.txt")));
        await using var host = await StartAsync(files);
        string[] attempts =
        [
            "ok.txt", "../secret.txt", "sub/../../secret.txt", "sub/../ok.txt", outside.At("secret.txt"), "/etc/passwd", "/proc/self/environ", "/dev/zero", "link.txt", "linked/secret.txt", "sub/loop/ok.txt",
            "hard.txt", "pipe.txt", "socket.txt", "sparse.txt", "sub", ".", "./ok.txt", "//ok.txt", "name\nwith a line.txt", "http://127.0.0.1/x",
        ];
        var batch = await host.SubmitAsync(Taking("local_directory", "docs", attempts));
        await host.EndedAsync(batch);
        var ends = await host.EndsAsync(batch);
        foreach (var attempt in attempts) Console.WriteLine($"directory: {attempt.Replace("\n", "\\n", StringComparison.Ordinal)} → {ends[attempt]}");
        ends["ok.txt"].ShouldBe("done");
        ends["sparse.txt"].ShouldBe("too_large");
        ends["name\nwith a line.txt"].ShouldBe("missing_file");
        string[] refused = ["../secret.txt", "sub/../../secret.txt", "sub/../ok.txt", outside.At("secret.txt"), "/etc/passwd", "/proc/self/environ", "/dev/zero", "link.txt", "linked/secret.txt", "sub/loop/ok.txt", "hard.txt", "pipe.txt", "sub", ".", "./ok.txt", "//ok.txt"];
        foreach (var attempt in refused) ends[attempt].ShouldBe("access_denied", attempt);
        ends["socket.txt"].ShouldBeOneOf("access_denied", "missing_file");
        ends["http://127.0.0.1/x"].ShouldBeOneOf("access_denied", "missing_file");
        (await host.SearchAsync("osprey")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Listing_follows_no_link_and_ends_in_a_loop_of_them()
    {
        using var files = new Tree();
        files.Text("ok.txt", "A plain text.").Text("sub/inner.txt", "An inner text.").Text("sub/a\nb.txt", "A name of two lines.");
        Directory.CreateSymbolicLink(files.At("sub/loop"), files.Path);
        File.CreateSymbolicLink(files.At("passwd.txt"), "/etc/passwd");
        // A name that is no UTF-8: it is listed, and fails in words.
        await RunAsync("sh", "-c", $"printf 'text' > \"{files.Path}/$(printf 'caf\\351').txt\"");
        await using var host = await StartAsync(files);
        var batch = await host.SubmitAsync(Taking("local_directory", "docs"));
        await host.EndedAsync(batch);
        var ends = await host.EndsAsync(batch);
        ends.Keys.Order(StringComparer.Ordinal).ShouldBe(["caf\uFFFD.txt", "ok.txt", "sub/a\nb.txt", "sub/inner.txt"]);
        (ends["sub/a\nb.txt"], ends["caf\uFFFD.txt"]).ShouldBe(("done", "missing_file"));
        (await host.ItemsAsync(batch)).Single(i => i.ErrorCode == "missing_file").ErrorMessage!.ShouldContain("not valid UTF-8");
        // No name of ours reaches it either.
        await RunAsync("find", files.Path, "-name", "caf*", "-delete");
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/etc")]
    [InlineData("/proc")]
    [InlineData("{root}/../")]
    [InlineData("{root}-beside")]
    [InlineData("relative")]
    public async Task Directory_outside_of_the_roots_is_not_even_looked_at(string path)
    {
        using var files = new Tree();
        Directory.CreateDirectory(files.Path + "-beside");
        try
        {
            await using var host = await PipelineHost.StartAsync(("Ingestion:Sources:Roots:0", files.Path));
            await host.ConnectAsync("local_directory", "docs", new { path = path.Replace("{root}", files.Path, StringComparison.Ordinal) });
            (await host.Get<Core.Sources.ConnectionTests>().RunAsync(PipelineHost.Actor, "docs", CancellationToken.None))!.Done.ShouldBeFalse();
            var batch = await host.SubmitAsync(Taking("local_directory", "docs"));
            (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Failed);
            (await host.QueryAsync<string>("SELECT error_code FROM ingestion.import_input")).Single().ShouldBeOneOf("access_denied", "invalid_option");
        }
        finally
        {
            Directory.Delete(files.Path + "-beside");
        }
    }

    [Fact]
    public async Task Root_reached_by_a_link_inside_another_root_is_refused()
    {
        using var files = new Tree();
        using var outside = new Tree();
        outside.Text("secret.txt", "The secret osprey.");
        Directory.CreateSymbolicLink(files.At("way"), outside.Path);
        await using var host = await PipelineHost.StartAsync(("Ingestion:Sources:Roots:0", files.Path));
        await host.ConnectAsync("local_directory", "docs", new { path = files.At("way") });
        var batch = await host.SubmitAsync(Taking("local_directory", "docs"));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Failed);
        (await host.QueryAsync<string>("SELECT error_code FROM ingestion.import_input")).ShouldBe(["access_denied"]);
    }

    [Fact]
    public async Task Twenty_thousand_files_are_listed_a_page_at_a_time()
    {
        using var files = new Tree();
        for (var i = 0; i < 20_000; i++) File.Create(files.At($"f{i}")).Dispose();
        await using var host = await PipelineHost.StartAsync(("Ingestion:Sources:Roots:0", files.Path), ("Ingestion:Pipeline:Stages:0", "Discover"));
        await host.ConnectAsync("local_directory", "docs", new { path = files.Path });
        var (before, begun) = (GC.GetTotalMemory(forceFullCollection: true), Stopwatch.GetTimestamp());
        await host.SubmitAsync(Taking("local_directory", "docs"));
        await host.UntilAsync("SELECT state = 'done' FROM ingestion.import_input");
        Console.WriteLine($"directory: 20,000 files listed in {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.0} s, {(GC.GetTotalMemory(forceFullCollection: true) - before) >> 10:N0} KiB more in memory");
        (await host.QueryAsync<long>("SELECT count(*) FROM ingestion.import_item")).ShouldBe([20_000]);
    }

    private static async Task<PipelineHost> StartAsync(Tree files)
    {
        var host = await PipelineHost.StartAsync(("Ingestion:Sources:Roots:0", files.Path), ("Ingestion:Pipeline:Retry:MaxDelay", "00:00:00.100"));
        await host.ConnectAsync("local_directory", "docs", new { path = files.Path });
        return host;
    }

    private static async Task RunAsync(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments))!;
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, command);
    }

    /// <summary>A directory with files that a test makes.</summary>
    internal sealed class Tree : IDisposable
    {
        private readonly TemporaryDirectory _directory = new("tree-");

        public string Path => _directory.Path;

        public string At(string name) => System.IO.Path.Combine(Path, name);

        public Tree Text(string name, string text)
        {
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(At(name))!);
            File.WriteAllText(At(name), text, new UTF8Encoding(false));
            return this;
        }

        public void Dispose() => _directory.Dispose();
    }
}
