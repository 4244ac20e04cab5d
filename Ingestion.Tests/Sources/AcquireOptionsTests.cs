using Ingestion.Core.Sources;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

public sealed class AcquireOptionsTests
{
    [Fact]
    public void Defaults_are_valid() =>
        new AcquireOptionsValidator().Validate(null, new AcquireOptions()).Succeeded.ShouldBeTrue();

    [Fact]
    public void Everything_that_is_wrong_is_named_at_once()
    {
        var options = new AcquireOptions
        {
            AllowedTargets = ["10.0.0.0/99"],
            AllowedPorts = [0],
            MaxRedirects = -1,
            ConnectTimeout = TimeSpan.Zero,
            HeadersTimeout = TimeSpan.Zero,
            RateWindow = TimeSpan.Zero,
            MinBytesPerSecond = -1,
            MaxConcurrentRequests = 0,
            RequestsPerMinutePerHost = -1,
            ConnectionsPerHost = 0,
            RetryIntervals = [TimeSpan.FromSeconds(-1)],
            UserAgent = "a\r\nHost: evil",
        };

        var failures = new AcquireOptionsValidator().Validate(null, options).Failures!.ToList();

        failures.Count.ShouldBe(12);
        failures.ShouldAllBe(f => f.StartsWith("Ingestion:Acquire:", StringComparison.Ordinal));
        failures.ShouldContain("Ingestion:Acquire:AllowedTargets cannot be read: '10.0.0.0/99' is not a host, address or network, with or without a port.");
    }

    [Fact]
    public void Configured_lists_replace_the_defaults()
    {
        using var services = Services(new()
        {
            ["Ingestion:Acquire:AllowedPorts:0"] = "9000",
            ["Ingestion:Acquire:RetryIntervals:0"] = "00:00:01",
            ["Ingestion:Acquire:AllowedTargets:0"] = "127.0.0.1:9000",
        });

        var options = services.GetRequiredService<IOptions<AcquireOptions>>().Value;

        options.Ports.ShouldBe([9000]);
        options.RetryWaits().ShouldBe([TimeSpan.FromSeconds(1)]);
        services.GetRequiredService<SafeHttp>().Rules.Parse("http://127.0.0.1:9000/").Port.ShouldBe(9000);
    }

    [Fact]
    public void Lists_left_empty_take_the_defaults()
    {
        new AcquireOptions().Ports.ShouldBe([80, 443, 8080, 8443]);
        new AcquireOptions().RetryWaits().Count.ShouldBe(3);
    }

    [Fact]
    public void Wrong_setting_stops_the_start()
    {
        using var services = Services(new() { ["Ingestion:Acquire:ConnectionsPerHost"] = "0" });

        Should.Throw<OptionsValidationException>(services.GetRequiredService<SafeHttp>)
            .Message.ShouldContain("Ingestion:Acquire:ConnectionsPerHost");
    }

    private static ServiceProvider Services(Dictionary<string, string?> settings) =>
        new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddSources()
            .BuildServiceProvider();
}
