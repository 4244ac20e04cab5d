using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>Connections that the living processes may open, and how many the server has for them.</summary>
/// <param name="Asked">The sum of their pools.</param>
/// <param name="Allowed"><c>max_connections</c> without those kept for superusers.</param>
public sealed record Connections(int Processes, int Asked, int Allowed)
{
    public bool Fits => Asked <= Allowed;
}

/// <summary>Adds up the pools of every process that lives. Pools open connections when they need them, so too large a sum shows itself only under load.</summary>
public sealed class ConnectionBudget(NpgsqlDataSource worker, PipelineOptions options)
{
    public async Task<Connections> ReadAsync(CancellationToken ct)
    {
        // The second kind of reserve exists from version 16 on.
        const string sql = """
            SELECT count(*)::int, coalesce(sum(connections), 0)::int,
                   current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - coalesce(current_setting('reserved_connections', true)::int, 0)
            FROM ingestion.worker_process
            WHERE stopped_at IS NULL AND last_seen_at > ingestion.clock() - $1
            """;
        await using var command = worker.CreateCommand(sql);
        command.Parameters.Add(new() { Value = options.Silence });
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        return new(r.GetInt32(0), r.GetInt32(1), r.GetInt32(2));
    }
}
