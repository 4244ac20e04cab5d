using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Ingestion.Core.Settings;

/// <summary>Reads <c>config.yaml</c>: only the paths of <see cref="SettingNames"/> count, anything else is remarked upon.</summary>
internal static class YamlSettings
{
    // A settings file is a page; more is not one, and the reader holds all of it.
    private const int MaxBytes = 1 << 20;

    public static Dictionary<string, string?> Read(string path, List<string> remarks)
    {
        if (new FileInfo(path).Length > MaxBytes)
            throw new SettingException($"{path} is larger than 1 MiB and is not a settings file.");
        var found = new Dictionary<string, string?>();
        foreach (var (name, value) in Leaves(Load(path), prefix: ""))
        {
            if (SettingNames.All.FirstOrDefault(n => n.Yaml == name) is { } known)
                found[known.Key] = value;
            else
                remarks.Add($"{path} has '{name}', which is not a setting; it is ignored.");
        }

        return found;
    }

    private static YamlNode Load(string path)
    {
        try
        {
            using var reader = new StreamReader(path);
            var yaml = new YamlStream();
            yaml.Load(reader);
            return yaml.Documents.Count == 0 ? new YamlMappingNode() : yaml.Documents[0].RootNode;
        }
        catch (YamlException e)
        {
            throw new SettingException($"{path} is not valid YAML at line {e.Start.Line}.", e);
        }
    }

    private static IEnumerable<(string Name, string Value)> Leaves(YamlNode node, string prefix) => node switch
    {
        YamlMappingNode map => map.Children.SelectMany(c => Leaves(c.Value, prefix.Length == 0 ? $"{c.Key}" : $"{prefix}.{c.Key}")),
        YamlScalarNode { Value: { Length: > 0 } value } => [(prefix, value)],
        YamlScalarNode => [],
        _ => [(prefix, "")],
    };
}
