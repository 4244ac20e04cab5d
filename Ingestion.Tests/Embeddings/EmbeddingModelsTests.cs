using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Embeddings;

public sealed class EmbeddingModelsTests
{
    private const string Local = HashingEmbedder.ModelId, Large = EmbeddingOptions.DefaultModel;

    private static ServiceProvider Services(params (string Key, string? Value)[] settings) => new ServiceCollection()
        .AddLogging()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create("Ingestion:Embedding:" + s.Key, s.Value))).Build())
        .AddEmbeddings()
        .BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });

    [Theory]
    [InlineData(null, null, Local, false)]
    [InlineData(" ", " ", Local, false)]
    [InlineData(null, Local, Local, false)]
    [InlineData(Local, null, Local, false)]
    [InlineData("Local-Hashing-1024", null, Local, false)]
    [InlineData(Large, null, Local, true)]
    [InlineData(Large, Local, Local, true)]
    public void Without_a_key_everything_is_local_and_says_so(string? preference, string? collection, string expected, bool noted)
    {
        using var services = Services();
        var model = services.GetRequiredService<EmbeddingModels>().Resolve(preference, collection);
        (model.Id, model.IsLocal, model.Dimensions, model.Version).ShouldBe((expected, true, 1024, 1));
        if (noted) model.Note.ShouldNotBeNull().ShouldContain(Large);
        else model.Note.ShouldBeNull();
    }

    [Theory]
    [InlineData(null, null, Large)]
    [InlineData(Large, null, Large)]
    [InlineData(Large, Local, Large)]
    [InlineData(null, Large, Large)]
    [InlineData(null, Local, Local)]
    [InlineData(Local, Large, Local)]
    public void With_a_key_the_large_model_is_the_default(string? preference, string? collection, string expected)
    {
        using var services = Services(("ApiKey", "k"));
        var model = services.GetRequiredService<EmbeddingModels>().Resolve(preference, collection);
        model.Id.ShouldBe(expected);
        model.IsLocal.ShouldBe(expected == Local);
        model.Dimensions.ShouldBe(expected == Local ? 1024 : 3072);
        model.Note.ShouldBeNull();
    }

    [Fact]
    public void An_endpoint_without_a_key_serves_its_model()
    {
        using var services = Services(("Endpoint", "http://127.0.0.1:11434/v1"), ("Model", "nomic-embed-text"));
        var models = services.GetRequiredService<EmbeddingModels>();
        models.Default.Id.ShouldBe("nomic-embed-text");
        models.Resolve("nomic-embed-text").Dimensions.ShouldBeNull();
        var substitute = models.Resolve(Large);
        substitute.Id.ShouldBe("nomic-embed-text");
        substitute.Note.ShouldNotBeNull().ShouldContain(Large);
    }

    [Theory]
    [InlineData("text-embedding-3-small", null)]
    [InlineData("made-up", Local)]
    [InlineData(null, Large)]
    [InlineData(null, "made-up")]
    public void What_is_not_configured_is_refused(string? preference, string? collection)
    {
        using var services = Services();
        Should.Throw<IngestionException>(() => services.GetRequiredService<EmbeddingModels>().Resolve(preference, collection))
            .Code.ShouldBe(ErrorCodes.EmbedderNotConfigured);
    }

    [Fact]
    public void A_model_is_served_by_one_generator_for_the_life_of_the_process()
    {
        using var services = Services(("ApiKey", "k"), ("Dimensions", "256"));
        var models = services.GetRequiredService<EmbeddingModels>();
        models.Resolve(null).Generator.ShouldBeSameAs(models.Default.Generator);
        models.Default.Dimensions.ShouldBe(256);
        services.GetRequiredService<EmbeddingBatcher>().Counters.Calls.ShouldBe(0);
    }

    [Theory]
    [InlineData("Endpoint", "embeddings", "Ingestion:Embedding:Endpoint must be an absolute URL")]
    [InlineData("Endpoint", "/v1", "Ingestion:Embedding:Endpoint must be an absolute URL")]
    [InlineData("Endpoint", "ftp://host/v1", "Ingestion:Embedding:Endpoint must be an absolute URL")]
    [InlineData("Endpoint", "https://user:word@host/v1", "Ingestion:Embedding:Endpoint must not hold a user name or password")]
    [InlineData("Endpoint", "https://host/v1#x", "Ingestion:Embedding:Endpoint must not hold a fragment")]
    [InlineData("ApiKey", "two words", "Ingestion:Embedding:ApiKey must be printable ASCII")]
    [InlineData("ApiKey", "line\r\nX-Header: 1", "Ingestion:Embedding:ApiKey must be printable ASCII")]
    [InlineData("Model", "", "Ingestion:Embedding:Model must be a name")]
    [InlineData("Dimensions", "0", "Ingestion:Embedding:Dimensions must lie between 1 and 16384")]
    [InlineData("BatchSize", "0", "Ingestion:Embedding:BatchSize must lie between 1 and 2048")]
    [InlineData("MaxConcurrentRequests", "1000", "Ingestion:Embedding:MaxConcurrentRequests must lie between 1 and 64")]
    [InlineData("Timeout", "00:00:00", "Ingestion:Embedding:Timeout must lie between 00:00:01 and 00:10:00")]
    public void A_wrong_setting_is_named(string key, string value, string expected)
    {
        using var services = Services((key, value));
        var failure = Should.Throw<OptionsValidationException>(() => services.GetRequiredService<IOptions<EmbeddingOptions>>().Value);
        failure.Failures.ShouldHaveSingleItem().ShouldStartWith(expected);
    }

    [Fact]
    public void All_wrong_settings_are_named_at_once()
    {
        using var services = Services(("BatchSize", "-1"), ("Model", " "), ("Endpoint", "x"));
        Should.Throw<OptionsValidationException>(() => services.GetRequiredService<IOptions<EmbeddingOptions>>().Value).Failures.Count().ShouldBe(3);
    }
}
