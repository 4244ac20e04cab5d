using System.CommandLine;
using Ingestion.Admin.Access;
using Ingestion.Core;
using Ingestion.Core.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Cli;

/// <summary><c>ingestion sign-in-link</c>: prints a new one-time link. A running server honours it at once; the one before is void.</summary>
internal sealed class SignInLinkCommand : Command
{
    public SignInLinkCommand()
        : base("sign-in-link", "Print a new one-time link that signs a browser in.") => SetAction(PrintAsync);

    private static async Task<int> PrintAsync(ParseResult parsed, CancellationToken ct)
    {
        var configuration = new ConfigurationBuilder();
        configuration.AddSettings(SettingPlaces.OfProcess([.. parsed.UnmatchedTokens]));
        await using var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(configuration.Build())
            .AddIngestionOptions()
            .AddSingleton<SignInLinks>()
            .BuildServiceProvider();
        var options = services.GetRequiredService<IOptions<IngestionOptions>>().Value;
        var token = services.GetRequiredService<SignInLinks>().Issue();
        await parsed.InvocationConfiguration.Output.WriteLineAsync(SignInLinks.Address(options.Port, token));
        return 0;
    }
}
