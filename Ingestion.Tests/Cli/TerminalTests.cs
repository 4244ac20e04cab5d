using System.Diagnostics;
using Ingestion.Admin.Cli.Client;
using Ingestion.Tests.Admin;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Cli;

/// <summary>The program itself, as a process, in a terminal and in a pipe.</summary>
public sealed class TerminalTests(CliServer server) : IClassFixture<CliServer>
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "ingestion.dll");

    [TerminalFact]
    public async Task A_terminal_shows_one_picture_that_changes_until_the_end()
    {
        var id = (await server.RunAsync("submit", "--hold", "--name", "Live", "http://127.0.0.1:1/x")).Output.Trim();
        await using var terminal = await Tmux.StartAsync($"INGESTION_URL={server.Address} INGESTION_KEY={AdminApp.Key} dotnet {Program} bulk-status --interval 0.2 {id}");
        var first = await terminal.ShowsAsync("pending");
        first[0].ShouldBe($"Live  {id}  pending");
        first.ShouldContain(l => l.StartsWith("Downloading 0/1", StringComparison.Ordinal));

        (await StartAsync(id)).ShouldBeTrue();
        var last = (await terminal.ShowsAsync("exit=")).Where(l => l.Length > 0).ToList();
        last[0].ShouldBe($"Live  {id}  failed");
        last.Count(l => l.StartsWith("Downloading", StringComparison.Ordinal)).ShouldBe(1, string.Join('\n', last));
        last.Count(l => l.StartsWith("Ingested", StringComparison.Ordinal)).ShouldBe(1);
        last.ShouldContain(l => l.Contains("Ingested 1/1") && l.Contains("100.0 %"));
        last[^1].ShouldBe("exit=1");
        Console.WriteLine(string.Join('\n', last));
    }

    [Fact]
    public async Task A_pipe_gets_plain_lines_and_the_exit_code()
    {
        var id = (await server.RunAsync("submit", "http://127.0.0.1:1/piped")).Output.Trim();
        var (code, output) = await ProcessAsync("dotnet", [Program, "bulk-status", "--interval", "0.2", id]);
        code.ShouldBe(ExitCodes.Failed);
        output.ShouldNotContain('\u001b');
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].ShouldEndWith($"{id} failed: Downloading 1/1, Ingested 1/1, overall 100.0 %, 1 failed");
    }

    [Fact]
    public async Task Under_its_other_name_it_explains_itself_and_starts_no_server()
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/')).Parent!.Name;
        var alias = Path.Combine(Repository.Root, "Ingestion.Admin", "bin", configuration, "net10.0", "catalystctl");
        File.Exists(alias).ShouldBeTrue(alias);
        var (code, output) = await ProcessAsync(alias, []);
        code.ShouldBe(ExitCodes.Done);
        output.ShouldContain("bulk-status");
        (code, output) = await ProcessAsync(alias, ["list", "--take", "1"]);
        code.ShouldBe(ExitCodes.Done, output);
    }

    private async Task<bool> StartAsync(string id)
    {
        using var http = new HttpClient { DefaultRequestHeaders = { { "X-Api-Key", AdminApp.Key } } };
        using var answer = await http.PostAsync($"{server.Address}/api/v1/batches/{id}/start", null);
        return answer.IsSuccessStatusCode;
    }

    private async Task<(int Code, string Output)> ProcessAsync(string program, string[] args)
    {
        using var process = Process.Start(new ProcessStartInfo(program, args)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["INGESTION_URL"] = server.Address, ["INGESTION_KEY"] = AdminApp.Key },
        })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output + await errors);
    }
}
