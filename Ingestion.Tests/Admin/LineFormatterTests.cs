using Ingestion.Admin.Logging;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin;

public sealed class LineFormatterTests
{
    [Fact]
    public void Values_cannot_forge_a_line_or_colour_the_terminal()
    {
        var line = Write("a\nb\r\u001b[31mred\u2028c");
        line.ShouldEndWith("Fetcher: a\\nb\\u001b[31mred\\u2028c" + Environment.NewLine);
    }

    [Fact]
    public void Endless_message_is_cut() => Write(new string('x', 1_000_000)).Length.ShouldBeLessThan(5000);

    [Fact]
    public void Exception_stays_on_the_line() =>
        Write("failed", new InvalidOperationException("why\nnot")).TrimEnd().ShouldNotContain(Environment.NewLine);

    private static string Write(string message, Exception? exception = null)
    {
        var writer = new StringWriter();
        new LineFormatter(TimeProvider.System).Write(
            new LogEntry<string>(LogLevel.Warning, "Ingestion.Core.Fetcher", default, message, exception, (m, _) => m), null, writer);
        return writer.ToString();
    }
}
