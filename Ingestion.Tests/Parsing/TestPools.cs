using Ingestion.Core.Parsing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Ingestion.Tests.Parsing;

internal static class TestPools
{
    /// <summary>A pool whose children are this assembly, or any other command.</summary>
    public static ParserPool Create(int workers = 1, Action<ParserPoolOptions>? configure = null)
    {
        var options = new ParserPoolOptions { Workers = workers, Command = WorkerProcess.Command };
        configure?.Invoke(options);
        return new ParserPool(Options.Create(options), TimeProvider.System, NullLogger<ParserPool>.Instance);
    }

    public static DocumentParsers Parsers(ParserPool pool) => new(pool, TimeProvider.System);

    public static ParseLimits Seconds(double seconds) => ParseLimits.Default with { Timeout = TimeSpan.FromSeconds(seconds) };
}
