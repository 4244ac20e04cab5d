using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Artifacts;

/// <summary>The store for documents' bytes.</summary>
public static class ArtifactServices
{
    public static IServiceCollection AddArtifacts(this IServiceCollection services)
    {
        services.AddOptions<ArtifactOptions>().BindConfiguration(ArtifactOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ArtifactOptions>, ArtifactOptionsValidator>();
        services.AddSingleton<FolderStore>();
        services.AddSingleton<S3Store>().AddSingleton<IArtifactStore, ArtifactStores>();
        return services;
    }
}
