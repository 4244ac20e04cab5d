using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Ingestion.Admin.Cli;

/// <summary>
/// <c>ingestion sbom</c>: prints what this binary is made of, as a CycloneDX 1.6 document in JSON (https://cyclonedx.org/docs/1.6/json/): each
/// package with its version, package URL and the SHA-512 under which it was restored.
/// </summary>
internal sealed class SbomCommand : Command
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public SbomCommand()
        : base("sbom", "Print the packages this program is made of, as CycloneDX JSON.") => SetAction(PrintAsync);

    private static async Task<int> PrintAsync(ParseResult parsed, CancellationToken ct)
    {
        // The build writes it beside the binary: what is not in it is not loaded.
        await using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "ingestion.deps.json"));
        using var dependencies = await JsonDocument.ParseAsync(file, cancellationToken: ct);
        await parsed.InvocationConfiguration.Output.WriteLineAsync(Describe(dependencies.RootElement).ToJsonString(Indented));
        return 0;
    }

    /// <summary>The document for what a <c>.deps.json</c> file lists.</summary>
    internal static JsonObject Describe(JsonElement dependencies)
    {
        var libraries = dependencies.GetProperty("libraries").EnumerateObject().Select(l => (Name: l.Name.Split('/'), l.Value)).ToList();
        var self = libraries.First(l => l.Name[0] == "ingestion").Name;
        var packages = libraries.Where(l => l.Value.GetProperty("type").GetString() == "package").OrderBy(l => l.Name[0], StringComparer.OrdinalIgnoreCase);
        return new()
        {
            ["bomFormat"] = "CycloneDX",
            ["specVersion"] = "1.6",
            ["version"] = 1,
            ["metadata"] = new JsonObject { ["component"] = new JsonObject { ["type"] = "application", ["name"] = self[0], ["version"] = self[1] } },
            ["components"] = new JsonArray([.. packages.Select(p => Component(p.Name[0], p.Name[1], p.Value.GetProperty("sha512").GetString()!))]),
        };
    }

    private static JsonObject Component(string name, string version, string sha512)
    {
        var url = $"pkg:nuget/{name}@{version}";
        var component = new JsonObject { ["type"] = "library", ["name"] = name, ["version"] = version, ["purl"] = url, ["bom-ref"] = url };
        if (sha512.Split('-', 2) is ["sha512", var hash])
            component["hashes"] = new JsonArray(new JsonObject { ["alg"] = "SHA-512", ["content"] = Convert.ToHexStringLower(Convert.FromBase64String(hash)) });
        return component;
    }
}
