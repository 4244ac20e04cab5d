using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.Json;
using Npgsql;

namespace Ingestion.Core.Settings;

/// <summary>A setting in force.</summary>
/// <param name="Value">As written; a secret is masked; null where nothing is set.</param>
/// <param name="Place">Where the value came from; <see cref="EffectiveSettings.Default"/> where nobody set it.</param>
/// <param name="Environment">The short name it has in the environment, if any.</param>
/// <param name="Text">What it does, in the words of appsettings.json.</param>
public sealed record EffectiveSetting(string Key, string? Value, string Place, string? Environment, string? Text)
{
    public bool IsDefault => Place == EffectiveSettings.Default;
}

/// <summary>Every setting that this process runs with, and which layer decided it. Never holds a secret.</summary>
public static class EffectiveSettings
{
    public const string Default = "default";

    private const string Masked = "••••••••";
    private static readonly string[] Sections = [IngestionOptions.Section, "ConnectionStrings"];
    private static readonly string[] SecretEndings = ["Key", "Secret", "Password", "Token"];

    /// <summary>In the order of appsettings.json, then what only other layers name.</summary>
    public static IReadOnlyList<EffectiveSetting> Read(IConfigurationRoot configuration)
    {
        var texts = SettingTexts.Read(Path.Combine(AppContext.BaseDirectory, SettingSources.File));
        return [.. Sections.SelectMany(section => Leaves(configuration.GetSection(section)))
            .Select(leaf => Of(configuration, leaf, texts))];
    }

    private static EffectiveSetting Of(IConfigurationRoot configuration, IConfigurationSection setting, IReadOnlyDictionary<string, string> texts)
    {
        var values = setting.GetChildren().ToList();
        var decides = values.Count == 0 ? setting.Path : values[0].Path;
        var provider = configuration.Providers.LastOrDefault(p => p.TryGet(decides, out _));
        var value = values.Count == 0 ? setting.Value : string.Join(", ", values.Select(v => v.Value));
        return new(setting.Path, Show(setting.Path, value), PlaceOf(provider), SettingNames.All.FirstOrDefault(n => n.Key == setting.Path)?.Environment, texts.GetValueOrDefault(setting.Path));
    }

    private static string PlaceOf(IConfigurationProvider? provider) => provider switch
    {
        SettingLayer.Provider layer => layer.Place,
        JsonConfigurationProvider or null => Default,
        CommandLineConfigurationProvider => "command line",
        _ => "the host",
    };

    private static string? Show(string key, string? value) =>
        string.IsNullOrEmpty(value) ? null
        : key.StartsWith("ConnectionStrings:", StringComparison.OrdinalIgnoreCase) ? WithoutPassword(value)
        : SecretEndings.Any(e => key.EndsWith(e, StringComparison.OrdinalIgnoreCase)) ? Masked
        : value;

    private static string WithoutPassword(string connectionString)
    {
        try
        {
            var parts = new NpgsqlConnectionStringBuilder(connectionString);
            return $"{parts.Username}@{parts.Host}:{parts.Port}/{parts.Database}";
        }
        catch (ArgumentException)
        {
            return Masked;
        }
    }

    // A list is one setting.
    private static IEnumerable<IConfigurationSection> Leaves(IConfigurationSection section)
    {
        var children = section.GetChildren().ToList();
        return children.All(c => int.TryParse(c.Key, NumberStyles.None, CultureInfo.InvariantCulture, out _)) ? [section] : children.SelectMany(Leaves);
    }
}
