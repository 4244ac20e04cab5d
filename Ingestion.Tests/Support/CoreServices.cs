using Ingestion.Core;
using Ingestion.Core.Data;
using Ingestion.Core.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Ingestion.Tests.Support;

/// <summary>The core on a database of a test: submissions, control and queries, but nothing that runs by itself.</summary>
internal static class CoreServices
{
    public static IServiceCollection AddCore(this IServiceCollection services, Database database, string data, IReadOnlyDictionary<string, string?>? settings = null) => services
        .AddLogging()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new("Ingestion:Data", data), .. settings ?? new Dictionary<string, string?>()]).Build())
        .AddIngestionOptions()
        .AddIngestion(database);
}
