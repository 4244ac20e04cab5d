using Ingestion.Core.Artifacts;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Artifacts;

public sealed class ArtifactKeysTests
{
    [Fact]
    public void Names_are_those_of_the_contract()
    {
        ArtifactKeys.Raw("acme", "12", "34").ShouldBe("acme/12/34/raw.bin");
        ArtifactKeys.Markdown("acme", "12", "34").ShouldBe("acme/12/34/normalized.md");
        ArtifactKeys.Record("acme", "12", "34").ShouldBe("acme/12/34/artifacts/ingestion.json");
        ArtifactKeys.VersionMarkdown("acme", "12", "34", "56").ShouldBe("acme/12/34/artifacts/56/normalized.md");
        ArtifactKeys.VersionRecord("acme", "12", "34", "56").ShouldBe("acme/12/34/artifacts/56/ingestion.json");
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("ä")]
    public void Part_that_could_lead_elsewhere_is_refused(string part) =>
        Should.Throw<ArgumentException>(() => ArtifactKeys.Raw(part, "12", "34"));

    [Theory]
    [InlineData("a")]
    [InlineData("a/b-c/d_e/f.txt")]
    [InlineData("a..b")]
    public void Relative_path_of_safe_segments_is_a_key(string key) => ArtifactKeys.IsValid(key).ShouldBeTrue();

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData("a/./b")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData(@"a\b")]
    [InlineData(@"C:\a")]
    [InlineData("C:a")]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    [InlineData(".hidden")]
    [InlineData("a/.incoming")]
    [InlineData("trailing.")]
    [InlineData("a b")]
    [InlineData("é")]
    [InlineData("a%2e%2e")]
    [InlineData("~")]
    [InlineData("\u202Eabc")]
    public void Everything_else_is_none(string key) => ArtifactKeys.IsValid(key).ShouldBeFalse();

    [Fact]
    public void Long_segments_and_keys_are_none()
    {
        ArtifactKeys.IsValid(new string('a', 128)).ShouldBeTrue();
        ArtifactKeys.IsValid(new string('a', 129)).ShouldBeFalse();
        ArtifactKeys.IsValid(string.Join('/', Enumerable.Repeat("aaa", 128))).ShouldBeTrue();
        ArtifactKeys.IsValid(string.Join('/', Enumerable.Repeat("aaa", 129))).ShouldBeFalse();
    }
}
