using System.Globalization;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Ingestion.Core.Events;

/// <summary>
/// The one listening connection of a process. It asks the server a question every few seconds, so that a connection that only looks
/// alive is noticed; while it is away, everybody polls.
/// </summary>
public sealed class ImportEventListener(Data.Database database, BatchHub hub, ILogger<ImportEventListener> log) : BackgroundService
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>False while hints of other processes do not arrive here.</summary>
    public bool Connected { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
            }
            catch (Exception e) when ((Transient.Is(e) || e is NpgsqlException or InvalidOperationException) && !stoppingToken.IsCancellationRequested)
            {
                log.ListenerLost(e.Message);
                await Task.Delay(Pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                // However the connection ended: the process stops.
                return;
            }
            finally
            {
                Connected = false;
            }
        }
    }

    private async Task ListenAsync(CancellationToken ct)
    {
        // A short command timeout makes a half-open connection an error within seconds instead of minutes.
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            Options = $"-c role={Data.Database.WorkerRole}", ApplicationName = "ingestion_listener", CommandTimeout = 5, Pooling = false, KeepAlive = 0,
        };
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(ct);
        connection.Notification += (_, n) => Spread(n.Payload);
        await ExecuteAsync(connection, $"LISTEN {Hints.Channel}", ct);
        Connected = true;
        log.ListenerConnected();
        // What changed while nobody listened is unknown: everybody reads once.
        hub.Changed(BatchHub.All);
        while (true)
        {
            if (!await connection.WaitAsync(Beat, ct)) await ExecuteAsync(connection, "SELECT 1", ct);
        }
    }

    private void Spread(string payload)
    {
        if (payload.StartsWith(hub.Sender, StringComparison.Ordinal)) return;
        foreach (var part in payload.Split(','))
            if (long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var batch)) hub.Changed(batch);
        hub.WorkCameUp();
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
