namespace Ingestion.Admin.Api.Families;

/// <summary>The families of routes that speak the vocabularies of others.</summary>
internal static class FamilySetup
{
    public static WebApplicationBuilder AddFamilies(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<FamilyIntake>();
        return builder;
    }

    public static WebApplication MapFamilies(this WebApplication app) => app.MapCollectionFamily().MapSyncFamily().MapImportFamily();
}
