using System.CommandLine;

namespace Ingestion.Admin.Cli.Client;

/// <summary><c>ingestion profile set|list|remove</c>: servers by name, so that no command line holds a key.</summary>
internal sealed class ProfileCommand : Command
{
    public ProfileCommand()
        : base("profile", "Keep servers and their keys under names, in a file that only you can read. The first one is the default.")
    {
        Subcommands.Add(Set());
        Subcommands.Add(List());
        Subcommands.Add(Remove());
    }

    private static Command Set()
    {
        var name = new Argument<string>("name") { Description = "What to call it." };
        var server = new Option<string>("--server") { Description = "Address of the server.", HelpName = "url", Required = true };
        var chosen = new Option<bool>("--default") { Description = "Use it where no profile is named." };
        var command = new Command("set", "Add a profile or change it. The key is read from standard input, so that it stands in no history: ingestion profile set work --server https://… < key.txt") { name, server, chosen };
        command.SetAction((parsed, ct) => GuardAsync(parsed, async output =>
        {
            if (!Console.IsInputRedirected) await output.WriteAsync("API key (empty for none): ");
            var key = (await Console.In.ReadLineAsync(ct))?.Trim();
            var profiles = Profiles.Read(Profiles.Path);
            var named = new Dictionary<string, Profile>(profiles.Named) { [parsed.GetRequiredValue(name)] = new(parsed.GetRequiredValue(server), key is { Length: > 0 } ? key : null) };
            new Profiles(parsed.GetValue(chosen) ? parsed.GetRequiredValue(name) : profiles.Default ?? parsed.GetRequiredValue(name), named).Write(Profiles.Path);
            await output.WriteLineAsync($"{parsed.GetRequiredValue(name)} is kept in {Profiles.Path}.");
        }));
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "Show the profiles; never their keys.");
        command.SetAction((parsed, _) => GuardAsync(parsed, async output =>
        {
            var profiles = Profiles.Read(Profiles.Path);
            foreach (var (name, profile) in profiles.Named.OrderBy(p => p.Key, StringComparer.Ordinal))
                await output.WriteLineAsync($"{(name == profiles.Default ? '*' : ' ')} {name}  {profile.Server}  {(profile.Key is null ? "no key" : "with a key")}");
        }));
        return command;
    }

    private static Command Remove()
    {
        var name = new Argument<string>("name") { Description = "Which one." };
        var command = new Command("remove", "Forget a profile and its key.") { name };
        command.SetAction((parsed, _) => GuardAsync(parsed, output =>
        {
            var profiles = Profiles.Read(Profiles.Path);
            var named = new Dictionary<string, Profile>(profiles.Named);
            if (!named.Remove(parsed.GetRequiredValue(name))) throw new ClientException(ExitCodes.Usage, $"There is no profile '{parsed.GetRequiredValue(name)}'.");
            new Profiles(profiles.Default == parsed.GetRequiredValue(name) ? named.Keys.Order(StringComparer.Ordinal).FirstOrDefault() : profiles.Default, named).Write(Profiles.Path);
            return Task.CompletedTask;
        }));
        return command;
    }

    private static async Task<int> GuardAsync(ParseResult parsed, Func<TextWriter, Task> act)
    {
        try
        {
            await act(parsed.InvocationConfiguration.Output);
            return ExitCodes.Done;
        }
        catch (ClientException e)
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync(e.Message);
            return e.ExitCode;
        }
    }
}
