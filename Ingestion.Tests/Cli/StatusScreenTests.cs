using System.Text.Json;
using Ingestion.Admin.Cli.Client;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Cli;

public sealed class StatusScreenTests
{
    private readonly StringWriter _output = new();

    [Fact]
    public async Task A_terminal_is_drawn_again_in_place()
    {
        var screen = new StatusScreen(_output, terminal: true, () => 100, TimeProvider.System);
        await screen.ShowAsync(Batch("running", 0));
        var first = _output.ToString();
        first.ShouldStartWith("\u001b[2KHandbook  job_abc  running\n");
        first.ShouldContain("Downloading 5/10         [###############---------------]  50.0 %");
        first.ShouldContain("3 × The host example.org is asked slowly");
        await screen.ShowAsync(Batch("completed", 0));
        var second = _output.ToString()[first.Length..];
        second.ShouldStartWith($"\u001b[{first.Count(c => c == '\n')}A");
        second.ShouldEndWith("\u001b[J");
    }

    [Fact]
    public async Task No_line_is_wider_than_the_terminal()
    {
        await new StatusScreen(_output, terminal: true, () => 40, TimeProvider.System).ShowAsync(Batch("running", 0, new string('n', 300)));
        foreach (var line in _output.ToString().Split('\n')) line.Replace("\u001b[2K", "", StringComparison.Ordinal).Replace("\u001b[J", "", StringComparison.Ordinal).Length.ShouldBeLessThan(40);
    }

    [Fact]
    public async Task A_pipe_gets_a_line_for_each_change_and_no_control_sequence()
    {
        var screen = new StatusScreen(_output, terminal: false, () => 100, TimeProvider.System);
        await screen.ShowAsync(Batch("running", 0));
        await screen.ShowAsync(Batch("running", 0));
        await screen.ShowAsync(Batch("completed", 2));
        var lines = _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(2);
        lines[0].ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ job_abc running: Downloading 5/10, Ingested 1/10, overall 30\.0 %, 0 failed");
        lines[1].ShouldContain("completed");
        _output.ToString().ShouldNotContain('\u001b');
    }

    [Fact]
    public async Task What_a_stranger_named_moves_no_cursor()
    {
        await new StatusScreen(_output, terminal: false, () => 100, TimeProvider.System).ShowAsync(Batch("running", 0));
        BatchOutcome.Of(Json("running", 0, "evil\u001b[2J\u0007\nname")).Name.ShouldBe("evil [2J  name");
    }

    [Theory]
    [InlineData("running", 3, 0)]
    [InlineData("completed", 0, 0)]
    [InlineData("completed", 3, 1)]
    [InlineData("failed", 3, 1)]
    [InlineData("cancelled", 0, 4)]
    public void The_exit_code_tells_how_it_ended(string state, int failed, int code) => Batch(state, failed).ExitCode.ShouldBe(code);

    private static BatchOutcome Batch(string state, int failed, string name = "Handbook") => BatchOutcome.Of(Json(state, failed, name));

    private static JsonElement Json(string state, int failed, string name) => JsonSerializer.SerializeToElement(new
    {
        id = "job_abc", name, state, sentence = "5 of 10 documents are fetched.",
        download = new { percent = 50.0, text = "Downloading 5/10" }, ingestion = new { percent = 10.0, text = "Ingested 1/10" }, overall_percent = 30.0,
        counts = new { open = 9, done = 1, skipped = 0, failed, cancelled = 0, failed_inputs = 0, discovering = 0 },
        waiting = new[] { new { count = 3, sentence = "The host example.org is asked slowly; its turn comes in 2 s." } },
        remaining = (object?)null,
    });
}
