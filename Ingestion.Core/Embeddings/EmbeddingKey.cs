using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Ingestion.Core.Embeddings;

/// <summary>
/// The key of the remote service: the setting, else the secret <see cref="SecretName"/> of the installation, which the owner may set,
/// change and remove while the program runs; every process follows within <see cref="Interval"/>.
/// </summary>
public sealed class EmbeddingKey(IOptions<EmbeddingOptions> options, SecretBox secrets, TimeProvider time, ILogger<EmbeddingKey> log) : BackgroundService
{
    public const string SecretName = SecretBox.OfInstallation + "embedding-api-key";

    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private volatile string? _kept;

    /// <summary>Null where there is none.</summary>
    public string? Value => string.IsNullOrWhiteSpace(options.Value.ApiKey) ? _kept : options.Value.ApiKey.Trim();

    /// <summary>Reads the secret now.</summary>
    public async Task ReadAsync(CancellationToken ct) => _kept = (await secrets.FindAsync(Tenant.Default, SecretName, ct))?.Trim() is { Length: > 0 } kept ? kept : null;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // Before the first document comes to be embedded.
        await TryAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await TryAsync(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // The program stops.
        }
    }

    private async Task TryAsync(CancellationToken ct)
    {
        try
        {
            await ReadAsync(ct);
        }
        catch (Exception e) when (Transient.Is(e) || e is NpgsqlException)
        {
            // The key of before serves until the database is back.
            Log.EmbeddingKeyNotRead(log, e.Message);
        }
    }
}
