using Microsoft.Extensions.Configuration;

namespace Ingestion.Core.Settings;

/// <summary>Settings from one place, which keeps its name so that a page can say where a value came from.</summary>
/// <param name="place">As a person calls it: <c>the environment</c>, <c>/etc/ingestion/config.yaml</c>.</param>
public sealed class SettingLayer(string place, IEnumerable<KeyValuePair<string, string?>> values) : IConfigurationSource
{
    public IConfigurationProvider Build(IConfigurationBuilder builder) => new Provider(place, values);

    internal sealed class Provider : ConfigurationProvider
    {
        public Provider(string place, IEnumerable<KeyValuePair<string, string?>> values)
        {
            Place = place;
            foreach (var (key, value) in values) Data[key] = value;
        }

        public string Place { get; }
    }
}
