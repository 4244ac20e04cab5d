using Ingestion.Core;
using Ingestion.Core.Data;
using Ingestion.Core.Postgres;
using Ingestion.Core.Settings;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace Ingestion.Admin.Cli;

/// <summary>What a person at the console is told instead of a stack trace.</summary>
internal static class StartFailure
{
    /// <summary>The lines for a failure that the person can mend; null for any other, which keeps its trace.</summary>
    public static string? Explain(Exception e) => e switch
    {
        OptionsValidationException invalid => string.Join(Environment.NewLine, invalid.Failures),
        SettingException or EmbeddedPostgresException or ExternalServerException or SchemaTooNewException or SchemaTooOldException => e.Message,
        Npgsql.NpgsqlException database => $"The database cannot be used: {database.Message} Check ConnectionStrings__Ingestion.",
        AggregateException { InnerExceptions: var all } when all.Select(Explain).ToArray() is var lines && lines.All(l => l is not null) =>
            string.Join(Environment.NewLine, lines),
        IOException { InnerException: AddressInUseException } => "The port is already in use. Choose another one with INGESTION_PORT.",
        // The binder's own: "Failed to convert configuration value 'x' at 'Ingestion:Port' to type 'System.Int32'."
        InvalidOperationException { Message: var message } when message.Contains("at 'Ingestion", StringComparison.Ordinal) => message,
        _ => null,
    };

    /// <summary>The line for a taken port, said before anything else is started. Null where the port is free.</summary>
    public static string? TakenPort(IngestionOptions options)
    {
        if (options.Port == 0 || !System.Net.IPAddress.TryParse(options.Bind, out var address))
            return null;
        try
        {
            using var probe = new System.Net.Sockets.TcpListener(address, options.Port);
            probe.Start();
            return null;
        }
        catch (System.Net.Sockets.SocketException e)
        {
            return $"Port {options.Port} on {options.Bind} cannot be used ({e.Message}). Choose another one with INGESTION_PORT.";
        }
    }
}
