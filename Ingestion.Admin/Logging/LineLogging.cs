using Microsoft.Extensions.Logging.Console;

namespace Ingestion.Admin.Logging;

/// <summary>The console is the only log: whoever runs the program decides where it goes.</summary>
internal static class LineLogging
{
    public static WebApplicationBuilder AddLineLogging(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Logging.ClearProviders();
        builder.Logging.AddConsole(o => o.FormatterName = LineFormatter.FormatterName)
            .AddConsoleFormatter<LineFormatter, ConsoleFormatterOptions>();
        return builder;
    }
}
