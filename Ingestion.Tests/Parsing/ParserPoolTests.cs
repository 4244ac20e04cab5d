using System.Diagnostics;
using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Embeddings;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Parsing;

public sealed class ParserPoolTests : IDisposable
{
    private static readonly string DeepNesting = "<!doctype html>" + string.Concat(Enumerable.Repeat("<div>", 100_000)) + "deep";
    private readonly TempFiles _files = new();

    private RawDocument Page(string text = "Hello fox") => _files.Add("a.html", $"<!doctype html><p>{text}</p>");

    private static async Task<string> ReadAsync(ParserPool pool, RawDocument raw) =>
        (await pool.ParseAsync("html", raw, TestPools.Seconds(60), null, CancellationToken.None)).Markdown;

    private static async Task<int> BusyChildAsync(ParserPool pool, Task parse)
    {
        while (pool.ProcessIds.Count == 0 && !parse.IsCompleted) await Task.Yield();
        return pool.ProcessIds.Single();
    }

    [Fact]
    public async Task Documents_go_through_a_child_that_is_kept()
    {
        await using var pool = TestPools.Create();
        (await ReadAsync(pool, Page("one"))).ShouldBe("one\n");
        var child = pool.ProcessIds.Single();
        (await ReadAsync(pool, Page("two"))).ShouldBe("two\n");
        pool.ProcessIds.ShouldBe([child]);
    }

    [Fact]
    public async Task What_a_parser_reports_comes_out_as_it_was_and_costs_no_child()
    {
        await using var pool = TestPools.Create();
        var error = await Should.ThrowAsync<IngestionException>(() => ReadAsync(pool, _files.Add("a.html", "<!doctype html><p> </p>")));
        error.Code.ShouldBe(ErrorCodes.NoText);
        var child = pool.ProcessIds.Single();
        await ReadAsync(pool, Page());
        pool.ProcessIds.ShouldBe([child]);
    }

    [Fact]
    public async Task A_document_that_hangs_its_parser_ends_by_its_time_limit_and_the_next_is_served()
    {
        await using var pool = TestPools.Create();
        await ReadAsync(pool, Page());
        var clock = Stopwatch.StartNew();
        var error = await Should.ThrowAsync<IngestionException>(() =>
            pool.ParseAsync("html", _files.Add("deep.html", DeepNesting), TestPools.Seconds(1), null, CancellationToken.None));
        error.Code.ShouldBe(ErrorCodes.ParseTimeout);
        clock.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(10));
        (await ReadAsync(pool, Page("next"))).ShouldBe("next\n");
    }

    [Fact]
    public async Task A_child_that_never_starts_is_not_held_against_the_document()
    {
        await using var pool = TestPools.Create(configure: o => (o.Command, o.StartLimit) = (["/bin/sh", "-c", "read line; read more"], TimeSpan.FromMilliseconds(300)));
        var error = await Should.ThrowAsync<IngestionException>(() => ReadAsync(pool, Page()));
        error.Code.ShouldBe(ErrorCodes.ParserCrashed);
        error.Message.ShouldContain("did not start");
        pool.ProcessIds.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_slow_start_does_not_count_against_the_documents_time()
    {
        var go = Page().Path + ".go";
        var command = string.Join(' ', WorkerProcess.Command.Select(w => $"'{w}'"));
        var options = new ParserPoolOptions { Workers = 1, Command = ["/bin/sh", "-c", $"until [ -e '{go}' ]; do sleep 0.02; done; exec {command}"] };
        var time = new ManualTime();
        await using var pool = new ParserPool(Options.Create(options), time, NullLogger<ParserPool>.Instance);
        var parse = pool.ParseAsync("html", Page("late"), TestPools.Seconds(1), null, CancellationToken.None);
        await BusyChildAsync(pool, parse);
        time.Advance(options.StartLimit - TimeSpan.FromSeconds(1));
        await File.WriteAllTextAsync(go, "");
        (await parse.WaitAsync(TimeSpan.FromSeconds(60))).Markdown.ShouldBe("late\n");
    }

    [Fact]
    public async Task A_child_killed_in_the_middle_is_parser_crashed_with_its_signal_and_the_next_is_served()
    {
        await using var pool = TestPools.Create();
        var parse = pool.ParseAsync("html", _files.Add("deep.html", DeepNesting), TestPools.Seconds(60), null, CancellationToken.None);
        using (var child = Process.GetProcessById(await BusyChildAsync(pool, parse))) child.Kill();
        var error = await Should.ThrowAsync<IngestionException>(() => parse);
        error.Code.ShouldBe(ErrorCodes.ParserCrashed);
        error.Message.ShouldContain("SIGKILL");
        (await ReadAsync(pool, Page("next"))).ShouldBe("next\n");
    }

    [Theory]
    [InlineData("read line; kill -SEGV $$", "SIGSEGV")]
    [InlineData("read line; exit 3", "exit code 3")]
    [InlineData("read line; echo this is not a frame at all; read more", "form")]
    public async Task A_child_that_misbehaves_is_named(string script, string expected)
    {
        await using var pool = TestPools.Create(configure: o => o.Command = ["/bin/sh", "-c", script]);
        var error = await Should.ThrowAsync<IngestionException>(() => ReadAsync(pool, Page()));
        error.Code.ShouldBe(ErrorCodes.ParserCrashed);
        error.Message.ShouldContain(expected);
        pool.ProcessIds.ShouldBeEmpty();
    }

    [Fact]
    public async Task More_memory_than_allowed_is_a_limit()
    {
        await using var pool = TestPools.Create();
        var error = await Should.ThrowAsync<IngestionException>(() => pool.ParseAsync(
            "html", _files.Add("deep.html", DeepNesting), TestPools.Seconds(60) with { MaxMemoryBytes = 1 << 20 }, null, CancellationToken.None));
        error.Code.ShouldBe(ErrorCodes.LimitExceeded);
        error.Message.ShouldContain("memory limit");
    }

    [Fact]
    public async Task A_cancelled_document_leaves_no_child_behind()
    {
        await using var pool = TestPools.Create();
        using var cancel = new CancellationTokenSource();
        var parse = pool.ParseAsync("html", _files.Add("deep.html", DeepNesting), TestPools.Seconds(60), null, cancel.Token);
        var child = await BusyChildAsync(pool, parse);
        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => parse);
        IsRunning(child).ShouldBeFalse();
    }

    [Fact]
    public async Task A_worn_out_child_is_replaced()
    {
        await using var pool = TestPools.Create(configure: o => o.DocumentsPerWorker = 1);
        await ReadAsync(pool, Page());
        pool.ProcessIds.ShouldBeEmpty();
        (await ReadAsync(pool, Page("again"))).ShouldBe("again\n");
    }

    [Fact]
    public async Task Disposal_ends_what_runs_and_every_child()
    {
        var pool = TestPools.Create();
        var parse = pool.ParseAsync("html", _files.Add("deep.html", DeepNesting), TestPools.Seconds(60), null, CancellationToken.None);
        var child = await BusyChildAsync(pool, parse);
        await pool.DisposeAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => parse);
        IsRunning(child).ShouldBeFalse();
    }

    [Fact]
    public async Task A_child_ends_by_itself_when_its_host_is_gone_even_in_the_middle_of_a_document()
    {
        var start = new ProcessStartInfo(WorkerProcess.Command[0], WorkerProcess.Command.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true };
        using var child = Process.Start(start)!;
        var request = ParseFrames.Line(ParseRequest.For("html", _files.Add("deep.html", DeepNesting), ParseLimits.Default));
        await child.StandardInput.WriteAsync(request);
        await child.StandardInput.FlushAsync();
        (await child.StandardOutput.BaseStream.ReadAsync(new byte[1])).ShouldBe(1, "its progress shows that it is at work");
        child.StandardInput.Close();
        await child.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        child.HasExited.ShouldBeTrue();
    }

    [Fact]
    public async Task Several_documents_at_once_use_several_children()
    {
        await using var pool = TestPools.Create(workers: 2);
        var texts = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => ReadAsync(pool, Page($"page {i}"))));
        texts.ShouldBe(Enumerable.Range(0, 12).Select(i => $"page {i}\n"));
        pool.ProcessIds.Count.ShouldBeInRange(1, 2);
    }

    private static bool IsRunning(int id) => Directory.Exists($"/proc/{id}") && !File.ReadAllText($"/proc/{id}/stat").Contains(") Z ", StringComparison.Ordinal);

    public void Dispose() => _files.Dispose();
}
