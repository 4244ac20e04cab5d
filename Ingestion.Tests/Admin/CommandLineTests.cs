using System.Net;
using System.Net.Sockets;
using Ingestion.Admin.Cli;
using Ingestion.Core;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class CommandLineTests
{
    private readonly StringWriter _error = new();
    private string[]? _served;

    [Fact]
    public async Task Without_a_verb_the_server_gets_the_settings()
    {
        (await RunAsync("--role", "worker", "--Ingestion:Port=9000")).ShouldBe(0);
        _served.ShouldBe(["--Ingestion:Port=9000", "--Ingestion:Role=Worker"]);
    }

    [Theory]
    [InlineData("serv")]
    [InlineData("--Ingestion:Port")]
    [InlineData("--port=9000")]
    public async Task What_is_neither_verb_nor_setting_is_wrong_usage(string word)
    {
        (await RunAsync(word)).ShouldBe(2);
        _served.ShouldBeNull();
        _error.ToString().ShouldContain(word);
    }

    [Fact]
    public async Task Unknown_role_is_wrong_usage()
    {
        (await RunAsync("--role", "boss")).ShouldBe(2);
        _served.ShouldBeNull();
    }

    [Fact]
    public async Task Verb_runs_instead_of_the_server_and_its_code_is_ours()
    {
        string[]? got = null;
        var verb = new System.CommandLine.Command("count");
        verb.SetAction((parsed, _) =>
        {
            got = [.. parsed.UnmatchedTokens];
            return Task.FromResult(1);
        });
        (await Line().Add(verb).RunAsync(["count", "--Ingestion:Data=/x"], TextWriter.Null, _error)).ShouldBe(1);
        got.ShouldBe(["--Ingestion:Data=/x"]);
        _served.ShouldBeNull();
    }

    [Fact]
    public void Taken_port_is_told_with_the_name_of_its_setting()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        StartFailure.TakenPort(new() { Port = port }).ShouldNotBeNull().ShouldContain("INGESTION_PORT");
        taken.Stop();
        StartFailure.TakenPort(new() { Port = port }).ShouldBeNull();
    }

    private Task<int> RunAsync(params string[] args) => Line().RunAsync(args, TextWriter.Null, _error);

    private CommandLine Line() => new((settings, _) =>
    {
        _served = settings;
        return Task.FromResult(0);
    });
}
