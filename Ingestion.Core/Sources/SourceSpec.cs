using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ingestion.Core.Sources;

/// <summary>What an input of a batch takes from a source, as it is stored with the input.</summary>
public sealed record SourceSpec
{
    /// <summary>Where a site or feed begins; null where the connection says it.</summary>
    [JsonPropertyName("address")]
    public string? Address { get; init; }

    /// <summary>Options of this kind, by name; checked when they were handed in.</summary>
    [JsonPropertyName("options")]
    public JsonElement? Options { get; init; }

    /// <summary>Given to each document.</summary>
    [JsonPropertyName("metadata")]
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>What the source calls the documents; null for all that it lists.</summary>
    [JsonPropertyName("files")]
    public IReadOnlyList<string>? Files { get; init; }

    public static SourceSpec Parse(string json) => JsonSerializer.Deserialize<SourceSpec>(json)!;

    public string ToJson() => JsonSerializer.Serialize(this);

    /// <summary>The options with their defaults.</summary>
    public SourceValues OptionsOf(SourceKind kind) => SourceValues.Read("options", kind.Options, Options);

    /// <summary>Names what is listed, apart from connection and collection: the same address and the same options list the same things.</summary>
    public string Scope(SourceKind kind) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Address}\n{OptionsOf(kind).Json}")))[..32];
}
