using Ingestion.Core.Settings;
using Microsoft.Extensions.Configuration;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Settings;

public sealed class EffectiveSettingsTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("settings-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Each_value_names_the_layer_that_decided_it()
    {
        File.WriteAllText(Path.Combine(_directory, "config.yaml"), "processing: { chunk_size: 700, chunk_overlap: 70 }");
        var settings = Read(["--Ingestion:Port=9001"], ("CHUNK_OVERLAP", "90"), ("Ingestion__Pipeline__MaxFileSizeMb", "7"));
        settings["Ingestion:Processing:MaxRetries"].Place.ShouldBe(EffectiveSettings.Default);
        (settings["Ingestion:Processing:ChunkSize"].Value, settings["Ingestion:Processing:ChunkSize"].Place).ShouldBe(("700", Path.Combine(_directory, "config.yaml")));
        (settings["Ingestion:Processing:ChunkOverlap"].Value, settings["Ingestion:Processing:ChunkOverlap"].Place).ShouldBe(("90", "environment"));
        settings["Ingestion:Pipeline:MaxFileSizeMb"].Place.ShouldBe("environment");
        (settings["Ingestion:Port"].Value, settings["Ingestion:Port"].Place).ShouldBe(("9001", "command line"));
    }

    [Fact]
    public void No_secret_is_in_the_list()
    {
        var settings = Read([], ("INGESTION_BOOTSTRAP_KEY", "hush-hush-hush-hush"), ("OPENAI_API_KEY", "sk-hush"), ("ConnectionStrings__Ingestion", "Host=db;Username=app;Password=hush;Database=kb"));
        settings.Values.ShouldAllBe(s => s.Value == null || !s.Value.Contains("hush"));
        settings["Ingestion:BootstrapKey"].Value.ShouldNotBeNull("that one is set is no secret");
        settings["ConnectionStrings:Ingestion"].Value.ShouldBe("app@db:5432/kb");
        Read([], ("ConnectionStrings__Ingestion", "hush and nonsense"))["ConnectionStrings:Ingestion"].Value!.ShouldNotContain("hush");
        Read([])["Ingestion:Embedding:ApiKey"].Value.ShouldBeNull();
    }

    [Fact]
    public void A_list_is_one_setting_and_texts_come_from_the_file()
    {
        var settings = Read([], ("Ingestion__Acquire__AllowedTargets__0", "wiki.corp"), ("Ingestion__Acquire__AllowedTargets__1", "10.0.0.0/8"));
        (settings["Ingestion:Acquire:AllowedTargets"].Value, settings["Ingestion:Acquire:AllowedTargets"].Place).ShouldBe(("wiki.corp, 10.0.0.0/8", "environment"));
        settings["Ingestion:Acquire:AllowedPorts"].Value.ShouldBe("80, 443, 8080, 8443");
        settings["Ingestion:Pipeline:Lease"].Text!.ShouldContain("silent");
        settings["Ingestion:Port"].Text!.ShouldContain("INGESTION_PORT");
        settings["Ingestion:Processing:MaxRetries"].Text.ShouldBe("further attempts after the first");
        settings["Ingestion:Processing:SkipExisting"].Text.ShouldBeNull("a comment belongs to the setting below it alone");
    }

    private Dictionary<string, EffectiveSetting> Read(string[] arguments, params (string, string)[] environment)
    {
        var builder = new ConfigurationBuilder();
        builder.AddSettings(new(AppContext.BaseDirectory, _directory, environment.ToDictionary(e => e.Item1, e => e.Item2), arguments));
        return EffectiveSettings.Read(builder.Build()).ToDictionary(s => s.Key);
    }
}
