using Ingestion.Core.Sources;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

/// <summary>Manifests as people write them, where they are at hand.</summary>
public sealed class RealManifestTests
{
    [RealManifestTheory]
    [InlineData("head/Dikshitar-Krithi-For-Import.csv", 482)]
    [InlineData("head/Thyagaraja-Krithi-For-Import.csv", 687)]
    [InlineData("head/Syama-Sastri-Krithi-For-Import.csv", 71)]
    [InlineData("head/Musical-Trinity-Krithi-Test-60.csv", 67)]
    [InlineData("original-2026-01-20/Thyagaraja-Krithi-For-Import.csv", 692)]
    public async Task Manifest_is_read_whole(string file, int expected)
    {
        await using var stream = File.OpenRead(Path.Join(RealManifestTheoryAttribute.Folder, file));

        var rows = await ManifestReader.ReadAsync(stream).ToListAsync();

        rows.Select(r => r.RowNumber).ShouldBe(Enumerable.Range(1, expected));
        rows.ShouldAllBe(r => r.Title != null && r.Url.StartsWith("http://") && r.Metadata.ContainsKey("Raga"));
    }

    [RealManifestTheory]
    [InlineData("head/unresolved-ragas-krithis.csv", 599)]
    public async Task Other_columns_are_kept(string file, int expected)
    {
        await using var stream = File.OpenRead(Path.Join(RealManifestTheoryAttribute.Folder, file));

        var rows = await ManifestReader.ReadAsync(stream).ToListAsync();

        rows.Count.ShouldBe(expected);
        rows[0].Metadata.Keys.ShouldBe(["Composer", "Raga", "Raga_Normalized"]);
    }
}

/// <summary>A theory over files that lie beside the repository; skipped where they do not.</summary>
public sealed class RealManifestTheoryAttribute : TheoryAttribute
{
    public RealManifestTheoryAttribute()
    {
        if (Folder is null)
            Skip = "The sample manifests are not beside this repository.";
    }

    public static string? Folder { get; } = Find();

    private static string? Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Join(at.FullName, "Ingestion.sln")))
                return Path.GetFullPath(Path.Join(at.FullName, "..", "shared", "krithi")) is var folder && Directory.Exists(folder) ? folder : null;
        }
        return null;
    }
}
