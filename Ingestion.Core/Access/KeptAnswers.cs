using System.Text.Json;
using Ingestion.Core.Pipeline;
using Microsoft.AspNetCore.DataProtection;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Access;

/// <summary>An answer to a creation.</summary>
public sealed record KeptAnswer(int Status, string? ContentType, string? Location, byte[] Body);

/// <summary>
/// Answers to creations for 24 hours, by the caller's <c>Idempotency-Key</c>: the same request again gets the same answer. Sealed, because some
/// hold what is shown once. Batches have a stronger form of their own, which remembers the key in the transaction that creates.
/// </summary>
public sealed class KeptAnswers(NpgsqlDataSource worker, IDataProtectionProvider ring)
{
    private IDataProtector Protector => ring.CreateProtector("Ingestion.KeptAnswer");

    /// <summary>
    /// Takes the key for one request; a second one with it waits until the first has its answer. Throws
    /// <see cref="IdempotencyConflictException"/> where the key was used for another request.
    /// </summary>
    public async Task<HeldKey> HoldAsync(string tenant, string caller, Idempotency idempotency, CancellationToken ct)
    {
        const string sql = """
            SELECT pg_advisory_xact_lock(hashtextextended(@tenant || '/' || @caller || '/' || @key, 1));
            SELECT request_hash, status, sealed FROM ingestion.kept_answer
            WHERE tenant_id = @tenant AND caller = @caller AND key = @key AND created_at > ingestion.clock() - interval '24 hours'
            """;
        var connection = await worker.OpenConnectionAsync(ct);
        try
        {
            var transaction = await connection.BeginTransactionAsync(ct);
            await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("tenant", tenant), new("caller", caller), new("key", idempotency.Key) } };
            await using var r = await command.ExecuteReaderAsync(ct);
            await r.NextResultAsync(ct);
            if (!await r.ReadAsync(ct)) return new(connection, transaction, null, answer => KeepAsync(connection, tenant, caller, idempotency, answer));
            if (!r.GetFieldValue<byte[]>(0).AsSpan().SequenceEqual(idempotency.RequestHash)) throw new IdempotencyConflictException();
            var kept = JsonSerializer.Deserialize<KeptAnswer>(Protector.Unprotect(r.GetFieldValue<byte[]>(2)))!;
            return new(connection, transaction, kept with { Status = r.GetInt32(1) }, _ => Task.CompletedTask);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task KeepAsync(NpgsqlConnection connection, string tenant, string caller, Idempotency idempotency, KeptAnswer answer)
    {
        const string sql = """
            DELETE FROM ingestion.kept_answer WHERE created_at < ingestion.clock() - interval '24 hours' OR (tenant_id = @tenant AND caller = @caller AND key = @key);
            INSERT INTO ingestion.kept_answer (tenant_id, caller, key, request_hash, status, sealed, created_at) VALUES (@tenant, @caller, @key, @hash, @status, @sealed, ingestion.clock())
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters =
            {
                new("tenant", tenant), new("caller", caller), new("key", idempotency.Key), new("hash", NpgsqlDbType.Bytea) { Value = idempotency.RequestHash },
                new("status", answer.Status), new("sealed", NpgsqlDbType.Bytea) { Value = Protector.Protect(JsonSerializer.SerializeToUtf8Bytes(answer)) },
            },
        };
        await command.ExecuteNonQueryAsync();
    }
}

/// <summary>A key that is held until it is disposed of.</summary>
public sealed class HeldKey(NpgsqlConnection connection, NpgsqlTransaction transaction, KeptAnswer? answer, Func<KeptAnswer, Task> keep) : IAsyncDisposable
{
    /// <summary>The answer to the same request before; null for the first.</summary>
    public KeptAnswer? Answer { get; } = answer;

    /// <summary>Keeps the answer. Not cancelled with the request: what was created is there, whether or not its sender is.</summary>
    public async Task KeepAsync(KeptAnswer answer)
    {
        await keep(answer);
        await transaction.CommitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }
}
