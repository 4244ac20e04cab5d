using Ingestion.Admin.Cli.Client;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Cli;

[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class ProfilesTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new("profiles-");

    private string File => Path.Combine(_folder.Path, "deep", "profiles.json");

    [Fact]
    public void What_is_kept_is_read_again_by_its_owner_alone()
    {
        Profiles.Read(File).Named.ShouldBeEmpty();
        new Profiles("work", new Dictionary<string, Profile> { ["work"] = new("https://ingestion.example", "ing_secret") }).Write(File);
        System.IO.File.GetUnixFileMode(File).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var read = Profiles.Read(File);
        read.Default.ShouldBe("work");
        read.Named["work"].ShouldBe(new("https://ingestion.example", "ing_secret"));
    }

    [Fact]
    public void A_file_that_others_may_read_is_not_used()
    {
        new Profiles(null, new Dictionary<string, Profile>()).Write(File);
        System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        Should.Throw<ClientException>(() => Profiles.Read(File)).Message.ShouldContain("chmod 600");
    }

    [Fact]
    public void A_file_that_is_none_is_said_so()
    {
        new Profiles(null, new Dictionary<string, Profile>()).Write(File);
        System.IO.File.WriteAllText(File, "[]");
        Should.Throw<ClientException>(() => Profiles.Read(File)).ExitCode.ShouldBe(ExitCodes.Usage);
    }

    public void Dispose() => _folder.Dispose();
}
