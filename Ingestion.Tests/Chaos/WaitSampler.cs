using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;

namespace Ingestion.Tests.Chaos;

/// <summary>
/// Asks twice a second, while a fault runs, why each open item waits: none may be without a reason of the closed set. A database that
/// is away is asked again later.
/// </summary>
internal sealed class WaitSampler : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);
    private static readonly HashSet<string> Known =
        [.. HoldReasons.All, .. typeof(WaitReasons).GetFields().Where(f => f.IsLiteral).Select(f => (string)f.GetRawConstantValue()!)];

    private readonly Database _database;
    private readonly WhyWaiting _why;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _sampling;
    private readonly Dictionary<long, int> _silent = [];
    private readonly SortedSet<string> _reasons = [];
    private readonly List<string> _unexplained = [];
    private int _items;

    /// <param name="find">The connection string; null while the database cannot be found.</param>
    public WaitSampler(Func<string?> find)
    {
        // The embedded server's address never changes, but it exists only once the program has made it.
        var connection = find() ?? throw new InvalidOperationException("there is no database to look at");
        _database = new(connection, new() { WorkerPoolSize = 2, WebPoolSize = 2 });
        _why = new(_database, new());
        _sampling = SampleAsync();
    }

    /// <summary>Ends the sampling; what was left unexplained, and in figures what was seen.</summary>
    public async Task<(IReadOnlyList<string> Unexplained, int Items, string Reasons)> StopAsync()
    {
        await _stop.CancelAsync();
        await _sampling;
        return (_unexplained, _items, string.Join('/', _reasons));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _database.DisposeAsync();
        _stop.Dispose();
    }

    private async Task SampleAsync()
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                try
                {
                    await LookAsync();
                }
                catch (Exception e) when (Transient.Is(e))
                {
                    // The fault may be the database's.
                    continue;
                }
            }
        }
        catch (OperationCanceledException)
        {
            return;
        }
    }

    private async Task LookAsync()
    {
        var open = await _database.Worker.QueryAsync<long>("SELECT id FROM ingestion.import_item WHERE state = 'open' ORDER BY id LIMIT 5000");
        var reasons = await _why.ForItemsAsync(Make.Tenant, open, _stop.Token);
        foreach (var id in _silent.Keys.Except(open).ToList()) _silent.Remove(id);
        foreach (var id in open)
        {
            if (reasons.TryGetValue(id, out var waiting) && Known.Contains(waiting.Reason))
            {
                _reasons.Add(waiting.Reason);
                _silent.Remove(id);
                _items++;
            }
            // Two looks cannot be one snapshot: an item may end between them. Three times in a row it is no coincidence.
            else if ((_silent[id] = _silent.GetValueOrDefault(id) + 1) == 3)
            {
                _unexplained.Add($"item {id} waits without a reason{(waiting is null ? "" : $" of the closed set: {waiting.Reason}")}");
            }
        }
    }
}
