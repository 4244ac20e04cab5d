using System.Reflection;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Ingestion.Core.Data;

/// <summary>Brings the schema up to date at start: of several instances one migrates and the others wait for it.</summary>
public sealed class Migrator(Database database)
{
    // Any fixed number serves; it is this product's name in the server's lock space.
    private const long LockKey = 0x496E67657374;

    // Read without the framework's model, which takes longer to build than all else of a start together.
    private static readonly Lazy<IReadOnlyList<string>> Known = new(() =>
        [.. typeof(IngestionDb).Assembly.GetTypes().Select(t => t.GetCustomAttribute<MigrationAttribute>()?.Id).OfType<string>().Order(StringComparer.Ordinal)]);

    /// <summary>
    /// Applies what is missing. Throws <see cref="SchemaTooNewException"/> where the database holds migrations that this binary
    /// does not know.
    /// </summary>
    public async Task MigrateAsync(CancellationToken ct)
    {
        await using var gate = await database.Owner.OpenConnectionAsync(ct);
        await ExecuteAsync(gate, $"SELECT pg_advisory_lock({LockKey})", ct);
        try
        {
            if ((await MissingAsync(gate, ct)).Count == 0) return;
            await ExecuteAsync(gate, "CREATE SCHEMA IF NOT EXISTS ingestion AUTHORIZATION ingestion_owner; CREATE SCHEMA IF NOT EXISTS quartz AUTHORIZATION ingestion_owner", ct);
            await using var db = new IngestionDb(Contexts.Options(database.Owner)
                .LogTo((id, _) => id == RelationalEventId.CommandExecuted, _ => FaultPoints.Reach(FaultPoints.Migrating)).Options);
            await db.Database.MigrateAsync(ct);
        }
        finally
        {
            await ExecuteAsync(gate, $"SELECT pg_advisory_unlock({LockKey})", CancellationToken.None);
        }
    }

    /// <summary>For whoever must not migrate: throws <see cref="SchemaTooNewException"/>, or <see cref="SchemaTooOldException"/> where something is missing.</summary>
    public async Task RequireCurrentAsync(CancellationToken ct)
    {
        await using var connection = await database.Owner.OpenConnectionAsync(ct);
        if (await MissingAsync(connection, ct) is { Count: > 0 } missing) throw new SchemaTooOldException(missing);
    }

    private static async Task<IReadOnlyList<string>> MissingAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var applied = await AppliedAsync(connection, ct);
        if (applied.Except(Known.Value).ToList() is { Count: > 0 } unknown) throw new SchemaTooNewException(unknown);
        return [.. Known.Value.Except(applied)];
    }

    private static async Task<IReadOnlyList<string>> AppliedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using (var exists = new NpgsqlCommand($"SELECT to_regclass('{IngestionDb.Schema}.{Contexts.History}') IS NOT NULL", connection))
            if (await exists.ExecuteScalarAsync(ct) is not true) return [];
        var applied = new List<string>();
        // The framework's table: its first column is the name.
        await using var command = new NpgsqlCommand($"SELECT * FROM {IngestionDb.Schema}.{Contexts.History}", connection);
        await using var r = await command.ExecuteReaderAsync(ct);
        while (await r.ReadAsync(ct)) applied.Add(r.GetString(0));
        applied.Sort(StringComparer.Ordinal);
        return applied;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }
}

/// <summary>The database lacks migrations of this version.</summary>
public sealed class SchemaTooOldException(IReadOnlyList<string> missing)
    : Exception($"This database lacks {string.Join(", ", missing)}. Start the program once, or run: ingestion migrate.");

/// <summary>The database was written by a newer version of this product.</summary>
public sealed class SchemaTooNewException(IReadOnlyList<string> unknown)
    : Exception($"This database was migrated by a newer version of Ingestion: it holds {string.Join(", ", unknown)}, which this version does not know. Start the newer version, or restore a backup from before.");
