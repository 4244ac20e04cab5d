using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Sources;

/// <summary>What Firecrawl tells by itself. A signed message makes its crawl be looked at now; everything that counts is asked for.</summary>
public sealed class FirecrawlSignals(NpgsqlDataSource worker, FirecrawlApi api, Hints hints, StageWaker waker)
{
    private const int Head = 64 * 1024;
    private const int MaxBytes = 64 << 20;
    private const string Scheme = "sha256=";

    /// <summary>Takes a message as it comes. False where it is not signed with our secret, or none is set.</summary>
    /// <param name="signature">The header <c>X-Firecrawl-Signature</c>: <c>sha256=</c> and the HMAC of the body in hexadecimal.</param>
    public async Task<bool> TakeAsync(Stream body, string? signature, CancellationToken ct)
    {
        var secret = api.Options.WebhookSecret;
        if (secret.Length == 0 || signature?.StartsWith(Scheme, StringComparison.Ordinal) != true) return false;
        // Messages hold whole pages: they are signed through and not kept, but for the beginning, which says of what crawl they are.
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret));
        var head = new byte[Head];
        var buffer = new byte[Head];
        var (kept, all) = (0, 0L);
        for (int n; (n = await body.ReadAsync(buffer, ct)) > 0;)
        {
            if ((all += n) > MaxBytes) return false;
            mac.AppendData(buffer, 0, n);
            var some = Math.Min(n, Head - kept);
            buffer.AsSpan(0, some).CopyTo(head.AsSpan(kept));
            kept += some;
        }
        var expected = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(mac.GetHashAndReset()));
        if (!CryptographicOperations.FixedTimeEquals(expected, Encoding.ASCII.GetBytes(signature[Scheme.Length..].ToLowerInvariant()))) return false;
        if (IdOf(head.AsSpan(0, kept)) is { } id) await WakeAsync(id, ct);
        return true;
    }

    /// <summary>The id of the crawl that a message begins to tell of; null where it tells none before its documents.</summary>
    internal static string? IdOf(ReadOnlySpan<byte> head)
    {
        try
        {
            var reader = new Utf8JsonReader(head, isFinalBlock: false, default);
            while (reader.Read())
            {
                if (reader.CurrentDepth != 1 || reader.TokenType != JsonTokenType.PropertyName) continue;
                var isId = reader.ValueTextEquals("id"u8);
                if (!reader.Read()) return null;
                if (isId) return reader.TokenType == JsonTokenType.String && Guid.TryParse(reader.GetString(), out var id) ? id.ToString("d") : null;
                if (!reader.TrySkip()) return null;
            }
        }
        catch (JsonException)
        {
            // Signed, and no message of the kind that is known: there is nothing to look at.
            return null;
        }
        return null;
    }

    private async Task WakeAsync(string id, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        var batches = await ImportQueue.WakeCrawlAsync(connection, [$"{FirecrawlJob.Mark}crawl {id} %", $"{FirecrawlJob.Mark}batch/scrape {id} %"], ct);
        foreach (var batch in batches) hints.Changed(batch);
        if (batches.Count > 0) waker.WakeAll();
    }
}
