using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Ingestion.Core.Data;

/// <summary>Brings the schema up to date at start: of several instances one migrates and the others wait for it.</summary>
public sealed class Migrator(Database database)
{
    // Any fixed number serves; it is this product's name in the server's lock space.
    private const long LockKey = 0x496E67657374;

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
            await ExecuteAsync(gate, "CREATE SCHEMA IF NOT EXISTS ingestion AUTHORIZATION ingestion_owner; CREATE SCHEMA IF NOT EXISTS quartz AUTHORIZATION ingestion_owner", ct);
            await using var db = new IngestionDb(Contexts.Options(database.Owner)
                .LogTo((id, _) => id == RelationalEventId.CommandExecuted, _ => FaultPoints.Reach(FaultPoints.Migrating)).Options);
            var known = db.Database.GetMigrations().ToHashSet();
            var unknown = await HistoryExistsAsync(db, ct) ? (await db.Database.GetAppliedMigrationsAsync(ct)).Where(m => !known.Contains(m)).ToList() : [];
            if (unknown.Count > 0) throw new SchemaTooNewException(unknown);
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
        await using var db = new IngestionDb(Contexts.Options(database.Owner).Options);
        var known = db.Database.GetMigrations().ToList();
        var applied = await HistoryExistsAsync(db, ct) ? (await db.Database.GetAppliedMigrationsAsync(ct)).ToList() : [];
        if (applied.Except(known).ToList() is { Count: > 0 } unknown) throw new SchemaTooNewException(unknown);
        if (known.Except(applied).ToList() is { Count: > 0 } missing) throw new SchemaTooOldException(missing);
    }

    private static Task<bool> HistoryExistsAsync(IngestionDb db, CancellationToken ct) => db.GetService<IHistoryRepository>().ExistsAsync(ct);

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
