using Ingestion.Core.Data;
using Ingestion.Core.Events;
using Ingestion.Core.Postgres;
using Ingestion.Core.Settings;
using Npgsql;

namespace Ingestion.Core.Pipeline.Verify;

/// <summary>How something around the data is.</summary>
public enum ConditionState { Good, Warning, Unknown }

/// <summary>Something around the data that lets it be worked on: not wrong rows, but what may keep the work from going on.</summary>
/// <param name="Name">A word that scripts may rely on.</param>
/// <param name="Sentence">How it is.</param>
/// <param name="Remedy">What a person can do; null where nothing has to be done.</param>
public sealed record Condition(string Name, ConditionState State, string Sentence, string? Remedy = null);

/// <summary>Looks at connections, transactions, clocks, disk, hints, workers and duties.</summary>
public sealed class Conditions(
    NpgsqlDataSource worker, ConnectionBudget budget, OpenTransactions transactions, Workers workers, ImportEventListener listener, DataDirectory data,
    DatabaseOptions options, TimeProvider time)
{
    // The database's clock decides everything; ours only shows, and signs people in.
    private static readonly TimeSpan TolerableDifference = TimeSpan.FromSeconds(5);
    private const long ScarceBytes = 1L << 30;

    public async Task<IReadOnlyList<Condition>> ReadAsync(CancellationToken ct)
    {
        var view = await workers.ReadAsync(ct);
        var found = new List<Condition> { Stages(view), Duties(view), await ConnectionsAsync(ct), await TransactionsAsync(ct), await ClockAsync(ct), Disk() };
        // A command does not listen.
        if (listener.ExecuteTask is not null) found.Add(Hints());
        return found;
    }

    private static Condition Stages(WorkersView view)
    {
        var without = view.Stages.Where(s => s.Workers == 0).ToList();
        var processes = view.Alive.Count(p => p.Slots.Count > 0);
        return without.Count == 0
            ? new("stages", ConditionState.Good, $"Every stage is served; {processes} {(processes == 1 ? "process works" : "processes work")}.")
            : new("stages", ConditionState.Warning,
                without.Count == view.Stages.Count ? "No worker is running." : $"No running worker serves {string.Join(", ", without.Select(s => s.Stage.Word()))}.",
                $"Start a process with --role worker, or look at Ingestion:Pipeline:Stages. Tasks that wait for it: {without.Sum(s => s.Due + s.Later)}.");
    }

    private static Condition Duties(WorkersView view) => view.Duties.Where(d => d.LastError is not null).ToList() is { Count: > 0 } failed
        ? new("duties", ConditionState.Warning, $"The last turn of {string.Join(", ", failed.Select(d => d.Name))} failed: {failed[0].LastError}", "They are tried again by themselves; the log tells more.")
        : new("duties", ConditionState.Good, $"The last turn of each of {view.Duties.Count} duties went well.");

    private async Task<Condition> ConnectionsAsync(CancellationToken ct)
    {
        var c = await budget.ReadAsync(ct);
        var sentence = $"{c.Processes} {(c.Processes == 1 ? "process" : "processes")} may open {c.Asked} connections together; the server has {c.Allowed} for them.";
        return c.Fits
            ? new("connections", ConditionState.Good, sentence)
            : new("connections", ConditionState.Warning, sentence, "Lower Ingestion:Database:WorkerPoolSize or WebPoolSize, or raise max_connections of the server.");
    }

    private async Task<Condition> TransactionsAsync(CancellationToken ct)
    {
        var look = await transactions.OlderThanAsync(TimeSpan.Zero, ct);
        if (look.Found is [var oldest, ..] && oldest.Age > options.TransactionAgeAlarm)
            return new("transactions", ConditionState.Warning, $"A transaction of {oldest.Login} ({(oldest.Application.Length > 0 ? oldest.Application : "unnamed client")}) has been open for {oldest.Age:hh\\:mm\\:ss} and is {oldest.State}.",
                $"Tables cannot be cleaned while it is. End it where it was begun, or with: SELECT pg_terminate_backend({oldest.Pid})");
        if (!look.Complete)
            return new("transactions", ConditionState.Unknown, "Transactions of other logins are hidden from us.", $"Run once as a superuser: {OpenTransactions.Grant}");
        return new("transactions", ConditionState.Good, look.Found is [var young, ..] ? $"The oldest open transaction began {young.Age.TotalSeconds:0} s ago." : "No transaction is open.");
    }

    private async Task<Condition> ClockAsync(CancellationToken ct)
    {
        await using var command = worker.CreateCommand("SELECT clock_timestamp()");
        var before = time.GetUtcNow();
        await using var r = await command.ExecuteReaderAsync(ct);
        await r.ReadAsync(ct);
        var theirs = r.GetFieldValue<DateTimeOffset>(0);
        var after = time.GetUtcNow();
        var ahead = before + (after - before) / 2 - theirs;
        var sentence = $"This process's clock is {ahead.Duration().TotalSeconds:0.###} s {(ahead < TimeSpan.Zero ? "behind" : "ahead of")} the database's.";
        return ahead.Duration() <= TolerableDifference
            ? new("clock", ConditionState.Good, sentence)
            : new("clock", ConditionState.Warning, sentence, "Leases and schedules follow the database and are not touched; set both machines' clocks by the same source.");
    }

    private Condition Disk()
    {
        var free = new DriveInfo(data.Path).AvailableFreeSpace;
        var sentence = $"The data directory {data.Path} has {free / (double)(1L << 30):0.0} GiB left.";
        return free >= ScarceBytes
            ? new("disk", ConditionState.Good, sentence)
            : new("disk", ConditionState.Warning, sentence, "Free space, or move the data directory. Documents wait with storage_full when nothing is left.");
    }

    private Condition Hints() => listener.Connected
        ? new("hints", ConditionState.Good, "Hints of other processes arrive.")
        : new("hints", ConditionState.Warning, "Hints of other processes do not arrive; everything is polled.", "It is tried again every second. A connection pooler that does not pass on LISTEN keeps them away: connect to the server itself.");
}
