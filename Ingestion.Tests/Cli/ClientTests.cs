using System.Text.Json;
using Ingestion.Admin.Cli.Client;
using Ingestion.Tests.Admin;
using Ingestion.Tests.Admin.Families;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Cli;

/// <summary>The commands against a server on loopback, in this process, with their output in a pipe.</summary>
public sealed class ClientTests(CliServer server) : IClassFixture<CliServer>
{
    [Fact]
    public async Task Files_folders_and_addresses_become_one_batch_that_is_followed_to_its_end()
    {
        using var folder = new TemporaryDirectory("cli-");
        Directory.CreateDirectory(Path.Combine(folder.Path, "handbook", "part"));
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "handbook", "one.md"), "# One\n\nFirst page.");
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "handbook", "part", "two.md"), "# Two\n\nSecond page.");
        var (code, output, _) = await RunAsync("submit", "--wait", "--name", "By hand", "--option", "chunk_size=800", Path.Combine(folder.Path, "handbook"), "http://127.0.0.1:1/refused");
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var id = lines[0];
        code.ShouldBe(ExitCodes.Failed, "one of the three was refused");
        lines[^1].ShouldContain($"{id} completed: Downloading 3/3, Ingested 3/3, overall 100.0 %, 1 failed");

        (code, output, _) = await RunAsync("bulk-status", "--once", "--json", id);
        code.ShouldBe(ExitCodes.Failed);
        var batch = JsonSerializer.Deserialize<JsonElement>(output);
        batch.GetProperty("options").GetProperty("chunk_size").GetInt32().ShouldBe(800);
        batch.GetProperty("name").GetString().ShouldBe("By hand");

        (code, output, _) = await RunAsync("events", "--follow", "--json", id);
        code.ShouldBe(ExitCodes.Done);
        var events = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonSerializer.Deserialize<JsonElement>(l)).ToList();
        events.Select(e => e.GetProperty("seq").GetInt32()).ShouldBe(Enumerable.Range(1, events.Count));
        events[^1].Said("kind").ShouldBe("batch_completed");

        (_, output, _) = await RunAsync("export", "--format", "jsonl", id);
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(3);
        var file = Path.Combine(folder.Path, "out.csv");
        (await RunAsync("export", "-o", file, id)).Code.ShouldBe(ExitCodes.Done);
        (await File.ReadAllTextAsync(file)).ShouldContain("handbook/part/two.md");
        File.Exists(file + ".part").ShouldBeFalse();

        (code, output, _) = await RunAsync("retry", "--reason", "again", id);
        (code, output.Trim()).ShouldBe((ExitCodes.Done, "1 item runs again."));
        (await RunAsync("bulk-status", "--interval", "0.1", id)).Code.ShouldBe(ExitCodes.Failed);
        (_, output, _) = await RunAsync("list", "--text", "By hand");
        output.ShouldContain(id);
    }

    [Fact]
    public async Task A_batch_is_paused_resumed_and_cancelled_and_the_code_says_so()
    {
        var (code, output, _) = await RunAsync("submit", "--hold", "http://127.0.0.1:1/x");
        code.ShouldBe(ExitCodes.Done);
        var id = output.Trim();
        (await RunAsync("pause", id)).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(ExitCodes.Failed), r => r.Error.ShouldContain("pending"));
        (await RunAsync("cancel", id)).Code.ShouldBe(ExitCodes.Done);
        (await RunAsync("bulk-status", id)).Code.ShouldBe(ExitCodes.Cancelled);
        (await RunAsync("resume", id)).Code.ShouldBe(ExitCodes.Failed);
    }

    [Fact]
    public async Task The_same_key_makes_one_batch()
    {
        var one = await RunAsync("submit", "--idempotency-key", "cli-once", "http://127.0.0.1:1/once");
        var two = await RunAsync("submit", "--idempotency-key", "cli-once", "http://127.0.0.1:1/once");
        two.Output.ShouldBe(one.Output);
    }

    [Fact]
    public async Task What_is_wrong_is_said_with_a_code_of_its_own()
    {
        (await RunAsync("submit")).Code.ShouldBe(ExitCodes.Usage);
        (await RunAsync("submit", "/no/such/file")).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(ExitCodes.Usage), r => r.Error.ShouldContain("/no/such/file"));
        (await RunAsync("submit", "--option", "chunk_size", "http://a.test/")).Code.ShouldBe(ExitCodes.Usage);
        (await RunAsync("submit", "--option", "chunk_sise=1", "http://a.test/")).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(ExitCodes.Usage), r => r.Error.ShouldContain("chunk_sise"));
        (await RunAsync("bulk-status", "--interval", "0", "job_a")).Code.ShouldBe(ExitCodes.Usage);
        (await RunAsync("bulk-status", "job_aaaaaaaaaaaaaaaa")).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(ExitCodes.Failed), r => r.Error.ShouldContain("job_aaaaaaaaaaaaaaaa"));
        (await RunAsync("bulk-status")).Code.ShouldBe(ExitCodes.Usage);
        (await AtAsync("http://127.0.0.1:1", AdminApp.Key, "list")).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(ExitCodes.Unreachable), r => r.Error.ShouldContain("does not answer"));
        (await AtAsync("nowhere", AdminApp.Key, "list")).Code.ShouldBe(ExitCodes.Usage);
        (await AtAsync(server.Address, "wrong-key", "list")).ShouldSatisfyAllConditions(r => r.Code.ShouldBe(ExitCodes.Failed), r => r.Error.ShouldContain("INGESTION_KEY"));
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _ingestion ingestion catalystctl")]
    [InlineData("zsh", "#compdef ingestion catalystctl")]
    [InlineData("fish", "complete -c catalystctl")]
    public async Task A_shell_is_told_how_to_complete(string shell, string said) => (await LineAsync("completion", shell)).Output.ShouldContain(said);

    [Fact]
    public async Task Half_a_word_is_completed()
    {
        var (code, output, _) = await LineAsync("[suggest:5]", "bulk-");
        code.ShouldBe(ExitCodes.Done);
        output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).ShouldBe(["bulk-status"]);
    }

    [Fact]
    public async Task Help_teaches()
    {
        (await LineAsync("bulk-status", "--help")).Output.ShouldSatisfyAllConditions(h => h.ShouldContain("Exit code"), h => h.ShouldContain("Example"), h => h.ShouldContain("--json"));
        var root = (await LineAsync("--help")).Output;
        foreach (var verb in new[] { "submit", "bulk-status", "list", "events", "export", "pause", "resume", "cancel", "retry", "profile", "completion" }) root.ShouldContain(verb);
    }

    private Task<(int Code, string Output, string Error)> RunAsync(params string[] args) => server.RunAsync(args);

    private static Task<(int Code, string Output, string Error)> LineAsync(params string[] args) => CliServer.LineAsync(args);

    private static Task<(int Code, string Output, string Error)> AtAsync(string address, string key, params string[] args) => LineAsync([.. args, "--server", address, "--key", key]);
}
