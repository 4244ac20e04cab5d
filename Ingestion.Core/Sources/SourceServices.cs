using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Sources;

/// <summary>What fetching documents needs.</summary>
public static class SourceServices
{
    public static IServiceCollection AddSources(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<AcquireOptions>().BindConfiguration(AcquireOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AcquireOptions>, AcquireOptionsValidator>();
        services.AddSingleton<SafeHttp>();
        return services;
    }
}
