using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Ingestion.Admin.Logging;

/// <summary>
/// Console lines a person can scan and a tool can split: time in UTC, level, source, message. One event is one line:
/// control characters of any value are written as escapes, so that no file name or URL can forge a line or colour a terminal.
/// </summary>
internal sealed class LineFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "line";

    // A message that is longer carries somebody's document, not news.
    private const int Longest = 4096;

    public override void Write<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopes, TextWriter writer)
    {
        var line = new StringBuilder()
            .Append(time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", System.Globalization.CultureInfo.InvariantCulture))
            .Append(' ').Append(Word(entry.LogLevel))
            .Append(' ').Append(entry.Category[(entry.Category.LastIndexOf('.') + 1)..])
            .Append(": ");
        Escape(line, entry.Formatter(entry.State, entry.Exception));
        if (entry.Exception is { } exception)
            Escape(line.Append(" | "), exception.ToString());
        writer.WriteLine(line);
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace => "TRACE",
        LogLevel.Debug => "DEBUG",
        LogLevel.Information => "INFO ",
        LogLevel.Warning => "WARN ",
        LogLevel.Error => "ERROR",
        _ => "FATAL",
    };

    private static void Escape(StringBuilder line, string text)
    {
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, Longest)))
        {
            _ = c switch
            {
                '\n' => line.Append("\\n"),
                '\r' => line,
                '\t' => line.Append(' '),
                _ when char.IsControl(c) || c is '\u2028' or '\u2029' => line.Append("\\u").Append(((int)c).ToString("x4", System.Globalization.CultureInfo.InvariantCulture)),
                _ => line.Append(c),
            };
        }

        if (text.Length > Longest)
            line.Append('…');
    }
}
