using System.CommandLine;
using System.Text.Json;
using Ingestion.Admin.Cli;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Cli;

public sealed class SbomTests
{
    [Fact]
    public void Packages_are_named_with_version_address_and_hash_and_projects_are_not()
    {
        // A hash of 64 zero bytes, as a build writes it.
        var zeros = Convert.ToBase64String(new byte[64]);
        using var dependencies = JsonDocument.Parse($$"""
            {"libraries": {
              "ingestion/1.2.3": {"type": "project", "sha512": ""},
              "Ingestion.Core/1.2.3": {"type": "project", "sha512": ""},
              "Zeta/2.0.0": {"type": "package", "sha512": "sha512-{{zeros}}"},
              "Alpha/1.0.0-rc.1": {"type": "package", "sha512": ""}
            }
            }
            """);
        var document = JsonSerializer.SerializeToElement(SbomCommand.Describe(dependencies.RootElement));
        (document.GetProperty("bomFormat").GetString(), document.GetProperty("specVersion").GetString()).ShouldBe(("CycloneDX", "1.6"));
        document.GetProperty("metadata").GetProperty("component").GetProperty("version").GetString().ShouldBe("1.2.3");
        var components = document.GetProperty("components").EnumerateArray().ToList();
        components.Select(c => c.GetProperty("purl").GetString()).ShouldBe(["pkg:nuget/Alpha@1.0.0-rc.1", "pkg:nuget/Zeta@2.0.0"]);
        components[1].GetProperty("hashes")[0].GetProperty("content").GetString().ShouldBe(new string('0', 128));
    }

    [Fact]
    public async Task This_binary_lists_what_it_references()
    {
        var output = new StringWriter();
        var root = new RootCommand();
        root.Add(new SbomCommand());
        (await root.Parse("sbom").InvokeAsync(new() { Output = output })).ShouldBe(0);
        var names = JsonDocument.Parse(output.ToString()).RootElement.GetProperty("components").EnumerateArray().Select(c => c.GetProperty("name").GetString()!).ToHashSet(StringComparer.OrdinalIgnoreCase);
        // Every assembly that came with a package and that this program names.
        typeof(SbomCommand).Assembly.GetReferencedAssemblies().Select(a => a.Name!).Where(n => n is "Npgsql" or "Radzen.Blazor" or "System.CommandLine" or "Quartz" or "OpenTelemetry").Except(names).ShouldBeEmpty();
        names.ShouldContain("Npgsql");
    }
}
