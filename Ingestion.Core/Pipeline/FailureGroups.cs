using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Npgsql;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// A batch's failures grouped by what they have in common: code, host, and the message's fingerprint, which leaves out addresses,
/// quoted names and numbers but for HTTP statuses.
/// </summary>
public sealed class FailureGroups(Database database)
{
    /// <summary>The host of an item's address; empty for what has no address.</summary>
    internal const string Host = "coalesce(substring(source_key FROM '^https?://([^/?#]+)'), '')";

    /// <summary>Twelve hexadecimal digits for messages that say the same.</summary>
    internal const string Fingerprint = """
        left(md5(regexp_replace(regexp_replace(coalesce(error_message, ''), 'https?://\S+|"[^"]*"|“[^”]*”', '…', 'g'), '\m(?![45]\d\d\M)\d[\d.,]*', '#', 'g')), 12)
        """;

    /// <summary>The largest groups, and how many there are.</summary>
    public async Task<Page<FailureGroup>> ListAsync(Scope scope, long batchId, int take, CancellationToken ct)
    {
        const string sql = $"""
            SELECT error_code, {Host}, {Fingerprint}, count(*)::int, min(error_message), min(id), (count(*) OVER ())::int
            FROM ingestion.import_item
            WHERE batch_id = @batch AND state = 'failed'
            GROUP BY 1, 2, 3
            ORDER BY 4 DESC, 1, 2, 3
            LIMIT @take
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId), new("take", take) } };
        await using var r = await command.ExecuteReaderAsync(ct);
        var (groups, total) = (new List<FailureGroup>(), 0);
        while (await r.ReadAsync(ct))
        {
            groups.Add(new(r.GetString(0), r.GetString(1), r.GetString(2), r.GetInt32(3), r.IsDBNull(4) ? "" : r.GetString(4), r.GetInt64(5)));
            total = r.GetInt32(6);
        }
        return new(groups, total);
    }
}

/// <summary>Failures that look the same. <paramref name="Host"/> is empty for files.</summary>
/// <param name="Message">One of their messages.</param>
/// <param name="FirstItem">The first that was submitted.</param>
public sealed record FailureGroup(string Code, string Host, string Fingerprint, int Count, string Message, long FirstItem)
{
    /// <summary>Leads to exactly its items.</summary>
    public ItemFilter Filter => new() { States = [ItemState.Failed], ErrorCode = Code, Host = Host, Fingerprint = Fingerprint };
}
