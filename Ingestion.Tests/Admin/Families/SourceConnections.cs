using Ingestion.Tests.Support;
using Npgsql;

namespace Ingestion.Tests.Admin.Families;

/// <summary>Connections to sources, as a person would have made them.</summary>
internal static class SourceConnections
{
    public static Task AddAsync(NpgsqlDataSource worker, string key, string kind, string settings = "{}") => worker.QueryAsync<object>("""
        INSERT INTO ingestion.connection (tenant_id, key, kind, name, settings, created_by, created_at) VALUES ('default', $1, $2, $1, $3::jsonb, 'test', now())
        """, key, kind, settings);
}
