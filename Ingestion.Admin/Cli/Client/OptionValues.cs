using System.Text.Json;

namespace Ingestion.Admin.Cli.Client;

/// <summary>Processing options as they are typed: <c>chunk_size=800</c>.</summary>
internal static class OptionValues
{
    /// <summary>Numbers, true, false and null as such, all else as text. Throws <see cref="ClientException"/> for what is no pair.</summary>
    public static Dictionary<string, JsonElement> Read(IEnumerable<string> pairs) => pairs.Select(Pair).GroupBy(p => p.Name).ToDictionary(g => g.Key, g => g.Last().Value);

    private static (string Name, JsonElement Value) Pair(string pair) => pair.IndexOf('=', StringComparison.Ordinal) is > 0 and var at
        ? (pair[..at], Value(pair[(at + 1)..]))
        : throw new ClientException(ExitCodes.Usage, $"--option {pair}: write it as name=value.");

    private static JsonElement Value(string text)
    {
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(text);
        }
        catch (JsonException)
        {
            return JsonSerializer.SerializeToElement(text);
        }
    }
}
