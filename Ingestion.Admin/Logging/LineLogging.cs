using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;

namespace Ingestion.Admin.Logging;

/// <summary>The console is the only log: whoever runs the program decides where it goes.</summary>
internal static class LineLogging
{
    public static WebApplicationBuilder AddLineLogging(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Logging.ClearProviders().AddLines();
        return builder;
    }

    /// <summary>The same for what logs before there is a host.</summary>
    public static ILoggingBuilder AddLines(this ILoggingBuilder logging)
    {
        logging.Services.TryAddSingleton(TimeProvider.System);
        return logging.AddConsole(o => o.FormatterName = LineFormatter.FormatterName).AddConsoleFormatter<LineFormatter, ConsoleFormatterOptions>();
    }
}
