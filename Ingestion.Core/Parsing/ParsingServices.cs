using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Ingestion.Core.Parsing;

/// <summary>Registers parsing: <see cref="DocumentParsers"/> and the pool of workers behind it.</summary>
public static class ParsingServices
{
    public static IServiceCollection AddParsing(this IServiceCollection services, Action<ParserPoolOptions>? configure = null)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<ParserPoolOptions>()
            .Validate(o => o.Workers is >= 1 and <= 256, "Ingestion:Parsing:Workers must be from 1 to 256.")
            .Validate(o => o.Command.Count > 0, "Ingestion:Parsing:Command must name a program.");
        if (configure is not null) services.Configure(configure);
        services.AddSingleton<ParserPool>();
        services.AddSingleton<DocumentParsers>();
        return services;
    }
}
