using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Ingestion.Admin.OpenApi;

/// <summary>Examples of bodies, as files in the program: what the reference shows, and what the schemas are made of.</summary>
internal static class ApiExamples
{
    private static readonly ConcurrentDictionary<string, string> Texts = new();

    /// <summary>Throws where there is no such example.</summary>
    public static JsonNode Find(string name) => JsonNode.Parse(Text(name))!;

    /// <summary>As it is written.</summary>
    public static string Text(string name) => Texts.GetOrAdd(name, static n =>
    {
        using var stream = typeof(ApiExamples).Assembly.GetManifestResourceStream($"Ingestion.Admin.OpenApi.Examples.{n}.json") ?? throw new InvalidOperationException($"There is no example {n}.json");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().TrimEnd();
    });
}
