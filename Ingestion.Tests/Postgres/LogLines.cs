using System.Threading.Channels;
using Ingestion.Core.Postgres;
using Microsoft.Extensions.Logging;

namespace Ingestion.Tests.Postgres;

/// <summary>A logger whose lines a test can wait for.</summary>
internal sealed class LogLines : ILogger<EmbeddedPostgres>
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();

    public async Task WaitForAsync(string text)
    {
        using var limit = new CancellationTokenSource(Limit);
        await foreach (var line in _lines.Reader.ReadAllAsync(limit.Token))
        {
            if (line.Contains(text, StringComparison.Ordinal))
                return;
        }
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _lines.Writer.TryWrite(formatter(state, exception));

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
}
