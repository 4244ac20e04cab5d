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
        services.AddSingleton<HostLedger>().AddSingleton<HostRates>().AddHostedService<HostLedgerWriter>();
        services.AddSingleton<SafeHttp>();

        services.AddOptions<SourceOptions>().BindConfiguration(SourceOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<SourceOptions>, SourceOptionsValidator>();
        services.AddSingleton<ServerFiles>().AddSingleton<SourceConnections>().AddSingleton<ConnectionTests>().AddSingleton<Schedules>().AddSingleton<Syncs>();
        services.AddSingleton<Artifacts.ArtifactWriter>().AddSingleton<HostBudgets>().AddSingleton<HostQueries>().AddSingleton<HostDesk>();
        services.AddSingleton<ZipContents>();
        services.AddConnector<DirectoryConnector>().AddConnector<ZipConnector>();
        services.AddOptions<FirecrawlOptions>().BindConfiguration(FirecrawlOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<FirecrawlOptions>, FirecrawlOptionsValidator>();
        services.AddSingleton<FirecrawlApi>().AddSingleton<FirecrawlPages>().AddSingleton<FirecrawlCrawls>().AddSingleton<FirecrawlSignals>();
        services.AddSingleton<UrlConnector>().AddSingleton<CrawlVisits>().AddSingleton<CrawlPages>();
        services.AddConnector<SiteConnector>().AddConnector<FeedConnector>().AddConnector<S3Connector>().AddConnector<DriveConnector>().AddConnector<ConfluenceConnector>().AddConnector<YouTubeConnector>();
        services.AddSingleton<ISourceConnector, FileCatalogConnector>();
        return services;
    }

    // Every process has them: those that serve pages test connections, those that run the pipeline list and fetch.
    private static IServiceCollection AddConnector<T>(this IServiceCollection services) where T : class, ISourceConnector, IConnectionTest => services
        .AddSingleton<T>()
        .AddSingleton<ISourceConnector>(s => s.GetRequiredService<T>())
        .AddSingleton<IConnectionTest>(s => s.GetRequiredService<T>());
}
