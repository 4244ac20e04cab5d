using System.CommandLine;

namespace Ingestion.Admin.Cli.Client;

/// <summary>
/// A command that is a client of the HTTP API. Which server and which key: <c>--server</c> and <c>--key</c>, else <c>INGESTION_URL</c> and
/// <c>INGESTION_KEY</c>, else a profile, else this machine with its bootstrap key.
/// </summary>
internal abstract class ClientCommand : Command
{
    private readonly Option<string?> _server = new("--server") { Description = "Address of the server; else INGESTION_URL, else the profile's, else http://localhost:8001.", HelpName = "url" };
    private readonly Option<string?> _key = new("--key") { Description = "API key; else INGESTION_KEY, else the profile's. Others on this machine can see what stands on a command line.", HelpName = "key" };
    private readonly Option<string?> _profile = new("--profile") { Description = "Name of a profile; else INGESTION_PROFILE, else the default one. See: ingestion profile --help", HelpName = "name" };

    protected ClientCommand(string name, string description)
        : base(name, description)
    {
        Options.Add(_server);
        Options.Add(_key);
        Options.Add(_profile);
        SetAction(InvokeAsync);
    }

    /// <summary>Does what the command is for; its exit code. Throws <see cref="ClientException"/>.</summary>
    protected abstract Task<int> RunAsync(ApiClient api, ParseResult parsed, CancellationToken ct);

    private async Task<int> InvokeAsync(ParseResult parsed, CancellationToken ct)
    {
        try
        {
            using var api = new ApiClient(Target(parsed));
            return await RunAsync(api, parsed, ct);
        }
        catch (ClientException e)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync(e.Message);
            return e.ExitCode;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // Ctrl-C ends the watching, not the batch.
            return 130;
        }
    }

    private Profile Target(ParseResult parsed)
    {
        var (server, key) = (parsed.GetValue(_server) ?? Set("INGESTION_URL"), parsed.GetValue(_key) ?? Set("INGESTION_KEY"));
        var named = parsed.GetValue(_profile) ?? Set("INGESTION_PROFILE");
        // A key goes only to the server it is for: a profile's is not sent to another address.
        if (server is null || named is not null)
        {
            var profiles = Profiles.Read(Profiles.Path);
            var name = named ?? profiles.Default;
            if (name is not null && !profiles.Named.ContainsKey(name)) throw new ClientException(ExitCodes.Usage, $"There is no profile '{name}'. See: ingestion profile list");
            if (name is not null && profiles.Named[name] is var profile) (server, key) = (server ?? profile.Server, key ?? (server is null || server == profile.Server ? profile.Key : null));
        }
        server ??= $"http://localhost:{Set("INGESTION_PORT") ?? "8001"}";
        key ??= IsHere(server) ? Set("INGESTION_BOOTSTRAP_KEY") : null;
        return new(server, key);
    }

    private static bool IsHere(string server) => Uri.TryCreate(server, UriKind.Absolute, out var url) && url.IsLoopback;

    private static string? Set(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
