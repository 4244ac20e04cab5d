using Ingestion.Core.Data;
using Ingestion.Core.Postgres;
using Microsoft.Extensions.Logging;

namespace Ingestion.Core.Pipeline.Duties;

/// <summary>
/// Says once of each transaction that has become too old: while it is open, nothing that was removed since can be given back, and every
/// busy table grows.
/// </summary>
public sealed class WatchTransactions(OpenTransactions transactions, DatabaseOptions options, ILogger<WatchTransactions> log) : IDuty
{
    public string Name => "transactions";

    public string Purpose => "Looks for transactions that have been open for too long.";

    public TimeSpan Interval => TimeSpan.FromSeconds(30);

    public async Task RunAsync(DutyTurn turn, CancellationToken ct)
    {
        var look = await transactions.OlderThanAsync(options.TransactionAgeAlarm, ct);
        // What became too old between the last turn and this one: each belongs to one turn, whichever process has it.
        foreach (var old in look.Found.Where(t => t.Since + options.TransactionAgeAlarm is var due && due <= turn.At && (turn.Before is not { } before || due > before)))
            log.OldTransaction(old.Pid, old.Login, old.Application, (long)old.Age.TotalSeconds, old.State);
    }
}
