using Microsoft.Extensions.Configuration;

namespace Ingestion.Core.Settings;

/// <summary>Where settings are read from. A record, so that a test can hand in an environment and a directory of its own.</summary>
/// <param name="ProgramDirectory">Holds appsettings.json, and perhaps a config.yaml.</param>
/// <param name="CurrentDirectory">Perhaps holds a config.yaml, which wins over the program's.</param>
/// <param name="Environment">The environment's variables.</param>
/// <param name="Arguments">Settings of the command line, as <c>--Ingestion:Port=8002</c>.</param>
public sealed record SettingPlaces(
    string ProgramDirectory,
    string CurrentDirectory,
    IReadOnlyDictionary<string, string> Environment,
    string[] Arguments)
{
    /// <summary>The places of this process.</summary>
    public static SettingPlaces OfProcess(string[] arguments) => new(
        AppContext.BaseDirectory,
        Directory.GetCurrentDirectory(),
        System.Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? ""),
        arguments);
}

/// <summary>Puts the layers of settings together. Later wins: appsettings.json, config.yaml, short names, long names, command line.</summary>
public static class SettingSources
{
    public const string File = "appsettings.json";
    public const string Yaml = "config.yaml";

    /// <summary>What the environment's variables are called where a value's place is named.</summary>
    private const string Environment = "environment";

    /// <summary>
    /// Adds every layer and returns the remarks that belong on the console at the start, a sentence each.
    /// Throws <see cref="SettingException"/> where config.yaml cannot be read.
    /// </summary>
    public static IReadOnlyList<string> AddSettings(this IConfigurationBuilder builder, SettingPlaces places)
    {
        var remarks = new List<string>();
        builder.AddJsonFile(Path.Combine(places.ProgramDirectory, File), optional: false, reloadOnChange: false);
        foreach (var directory in new[] { places.ProgramDirectory, places.CurrentDirectory }.Select(Path.GetFullPath).Distinct())
        {
            if (Path.Combine(directory, Yaml) is var path && System.IO.File.Exists(path))
                builder.Add(new SettingLayer(path, YamlSettings.Read(path, remarks)));
        }

        builder.Add(new SettingLayer(Environment, ShortNames(places.Environment)));
        builder.Add(new SettingLayer(Environment, LongNames(places.Environment)));
        builder.AddCommandLine(places.Arguments);
        remarks.AddRange(SettingNames.Answered.Where(a => places.Environment.ContainsKey(a.Key)).Select(a => a.Value).Distinct());
        return remarks;
    }

    private static Dictionary<string, string?> ShortNames(IReadOnlyDictionary<string, string> environment) =>
        SettingNames.All.Where(n => n.Environment is { } name && environment.GetValueOrDefault(name) is { Length: > 0 })
            .ToDictionary(n => n.Key, n => (string?)environment[n.Environment!]);

    // Only our own sections: a variable of another program must not reach into ours because it happens to hold two underscores.
    private static Dictionary<string, string?> LongNames(IReadOnlyDictionary<string, string> environment) =>
        environment.Where(e => e.Key.StartsWith("Ingestion__", StringComparison.OrdinalIgnoreCase)
                || e.Key.StartsWith("ConnectionStrings__", StringComparison.OrdinalIgnoreCase)
                || e.Key.StartsWith("Logging__", StringComparison.OrdinalIgnoreCase))
            .GroupBy(e => e.Key.Replace("__", ":", StringComparison.Ordinal), StringComparer.OrdinalIgnoreCase)
            .ToDictionary(g => g.Key, g => (string?)g.Last().Value, StringComparer.OrdinalIgnoreCase);
}

/// <summary>A setting that stops the start. The message is one line that names the key and what it must be.</summary>
public sealed class SettingException(string message, Exception? inner = null) : Exception(message, inner);
