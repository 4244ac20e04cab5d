using System.Globalization;
using System.Text.Json;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;
using Npgsql;

namespace Ingestion.Core.Review.Rules;

/// <summary>
/// Stops rules that the samples show to be wrong more often than they may: the rule, its spelling in the list, a fact in the batch of the last document
/// that was wrong, and the audit log, in one transaction. What it let pass before stays, and the figures say how much that is.
/// </summary>
public sealed class RuleChecks(NpgsqlDataSource worker, Hints hints, ReviewOptions options)
{
    /// <summary>Who stops rules, in logs.</summary>
    public const string Who = "sample check";

    /// <summary>Looks at every rule that is on; returns those that were stopped. Safe from several processes at once.</summary>
    public async Task<IReadOnlyList<long>> RunAsync(CancellationToken ct)
    {
        const string sql = $"""
            SELECT u.id, u.tenant_id, g.looked, g.wrong FROM ingestion.review_rule u
            {RulePasses.Samples}
            WHERE u.state = 'on' AND g.looked >= @least
            ORDER BY u.id
            """;
        var suspects = new List<(long Id, string Tenant)>();
        await using (var command = worker.CreateCommand(sql))
        {
            command.Parameters.Add(new("least", options.LeastSamples));
            await using var r = await command.ExecuteReaderAsync(ct);
            while (await r.ReadAsync(ct))
                if (new RuleFigures(0, 0, r.GetInt32(2), r.GetInt32(3)).SurelyAbove(options)) suspects.Add((r.GetInt64(0), r.GetString(1)));
        }
        var stopped = new List<long>();
        foreach (var (id, tenant) in suspects)
            if (await Conflicts.RepeatAsync(token => StopAsync(id, tenant, token), ct)) stopped.Add(id);
        return stopped;
    }

    private async Task<bool> StopAsync(long id, string tenant, CancellationToken ct)
    {
        await using var connection = await worker.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        if (await RuleRows.HoldAsync(connection, id, tenant, ct) is not { State: RuleStates.On } rule || !rule.Figures.SurelyAbove(options)) return false;
        var reason = Reason(rule.Figures);
        var actor = new Actor(tenant, Who, reason);
        // The batch before the list, as decisions lock them.
        var batch = rule.WrongIn is { } wrong ? await BatchRow.LockAsync(connection, wrong, tenant, ct) : null;
        await RuleRows.RemoveAliasAsync(connection, actor, rule, ct);
        await RuleRows.SetStateAsync(connection, actor, rule, RuleStates.Stopped, null, false, ct);
        await AuditLog.WriteAsync(connection, actor, "stop_rule", $"rule {id}", ct, JsonSerializer.Serialize(rule.Figures));
        if (batch is not null) await ImportEvents.AppendAsync(connection, batch.Id, [new(EventKinds.RuleStopped, Data: JsonSerializer.Serialize(new { rule = id, reason }))], ct);
        await transaction.CommitAsync(ct);
        if (batch is not null) hints.Changed(batch.Id);
        return true;
    }

    private string Reason(RuleFigures f) => string.Create(CultureInfo.InvariantCulture,
        $"Of {f.Looked} documents that people looked at {f.Wrong} were wrong, which is {f.Error!.Low:0.0%} to {f.Error.High:0.0%} of what it lets pass and surely more than {options.ErrorLimit:0.#%}.");
}
