using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;
using Ingestion.Core.Sources;
using Ingestion.Core.Telemetry;
using Ingestion.Core.Webhooks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Settings;

/// <summary>Registers the options of the core. Each is read and checked at the start; a bad one stops it.</summary>
public static class SettingRegistration
{
    public static IServiceCollection AddIngestionOptions(this IServiceCollection services) => services
        .AddSection<IngestionOptions, IngestionOptionsCheck>(IngestionOptions.Section)
        .AddSection<RefreshOptions, RefreshOptionsCheck>(RefreshOptions.Section)
        .AddSection<PipelineOptions, PipelineOptionsCheck>(PipelineOptions.Section)
        .AddSection<ProcessingOptions, ProcessingOptionsCheck>(ProcessingOptions.Section)
        .AddSection<AccessOptions, AccessOptionsCheck>(AccessOptions.Section)
        .AddSection<LimitOptions, LimitOptionsCheck>(LimitOptions.Section)
        .AddSection<OidcSettings, OidcSettingsCheck>(OidcSettings.Section)
        .AddSection<DatabaseOptions, DatabaseOptionsCheck>(DatabaseOptions.Section)
        .AddSection<RetentionOptions, RetentionOptionsCheck>(RetentionOptions.Section)
        .AddSection<ReviewOptions, ReviewOptionsCheck>(ReviewOptions.Section)
        .AddSection<ImportOptions, ImportOptionsCheck>(ImportOptions.Section)
        .AddSection<WebhookOptions, WebhookOptionsCheck>(WebhookOptions.Section)
        .AddSection<TelemetryOptions, TelemetryOptionsCheck>(TelemetryOptions.Section)
        .AddSingleton<DataDirectory>();

    private static IServiceCollection AddSection<TOptions, TCheck>(this IServiceCollection services, string section)
        where TOptions : class
        where TCheck : class, IValidateOptions<TOptions>
    {
        services.AddOptions<TOptions>().BindConfiguration(section).ValidateOnStart();
        return services.AddSingleton<IValidateOptions<TOptions>, TCheck>();
    }
}
