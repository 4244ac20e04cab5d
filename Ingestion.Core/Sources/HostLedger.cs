namespace Ingestion.Core.Sources;

/// <summary>One request as the ledger keeps it.</summary>
/// <param name="Path">Without query and fragment, which may hold what is nobody's business.</param>
/// <param name="Status">Null where no answer came.</param>
/// <param name="Problem">The code of the failure; null where there was none.</param>
/// <param name="Bytes">Of the body, unpacked.</param>
public sealed record HostRequest(DateTimeOffset At, string Path, int? Status, string? Problem, long Bytes, long Milliseconds);

/// <summary>
/// Counts what this process asks of hosts, and by which rule it waited, until <see cref="HostLedgerWriter"/> writes it down. Costs the
/// request an addition in memory. Only what is asked in a tenant's name counts: <see cref="AskingFor"/>.
/// </summary>
public sealed class HostLedger(TimeProvider time)
{
    /// <summary>Last requests that are kept of a host.</summary>
    public const int Recent = 20;

    // A crawl of pages that lead everywhere must not fill the memory while the database is away.
    private const int MostHosts = 10_000;
    private const int LongestPath = 300;

    private static readonly AsyncLocal<string?> Tenant = new();
    private readonly Lock _lock = new();
    private Dictionary<(string Tenant, string Host), HostTally> _open = [];

    /// <summary>From here to the end of the asynchronous method that says it, requests are made in this tenant's name.</summary>
    public static void AskingFor(string tenantId) => Tenant.Value = tenantId;

    /// <summary>A request has ended.</summary>
    public void Asked(Uri url, TimeSpan took, int? status, string? problem, long bytes)
    {
        var path = url.AbsolutePath.Length > LongestPath ? url.AbsolutePath[..LongestPath] + "…" : url.AbsolutePath;
        Count(HostBudgets.KeyOf(url), t => t.Add(new(time.GetUtcNow(), path, status, problem, bytes, (long)took.TotalMilliseconds)));
    }

    /// <summary>A request waits, or has waited, so long by this rule.</summary>
    /// <param name="host">Host and port, lower case.</param>
    public void Waited(string host, HostRule rule, TimeSpan wait)
    {
        if (wait > TimeSpan.Zero) Count(host, t => t.Add(rule, wait));
    }

    /// <summary>A site's robots.txt asks for this pause between requests.</summary>
    public void Delayed(string host, TimeSpan delay) => Count(host, t => t.CrawlDelay = delay);

    /// <summary>What was counted since the last time; the counting begins anew.</summary>
    internal IReadOnlyDictionary<(string Tenant, string Host), HostTally> Take()
    {
        lock (_lock)
        {
            var taken = _open;
            if (taken.Count > 0) _open = [];
            return taken;
        }
    }

    /// <summary>Puts back what could not be written.</summary>
    internal void Return(IReadOnlyDictionary<(string Tenant, string Host), HostTally> taken)
    {
        lock (_lock)
            foreach (var (key, tally) in taken)
                if (_open.TryGetValue(key, out var newer)) newer.AddOlder(tally);
                else if (_open.Count < MostHosts) _open[key] = tally;
    }

    private void Count(string host, Action<HostTally> add)
    {
        if (Tenant.Value is not { } tenant) return;
        lock (_lock)
        {
            if (!_open.TryGetValue((tenant, host), out var tally))
            {
                if (_open.Count >= MostHosts) return;
                _open[(tenant, host)] = tally = new();
            }
            add(tally);
        }
    }
}

/// <summary>What one process counted of one tenant's requests to one host.</summary>
internal sealed class HostTally
{
    private readonly List<HostRequest> _last = [];

    public int Requests { get; private set; }

    public int Failed { get; private set; }

    public long Bytes { get; private set; }

    public TimeSpan? CrawlDelay { get; set; }

    /// <summary>Newest first.</summary>
    public IEnumerable<HostRequest> Last => Enumerable.Reverse(_last);

    public Dictionary<HostRule, (int Waits, TimeSpan Waited)> Waits { get; } = [];

    public void Add(HostRequest request)
    {
        (Requests, Bytes) = (Requests + 1, Bytes + request.Bytes);
        if (request.Problem is not null) Failed++;
        if (_last.Count == HostLedger.Recent) _last.RemoveAt(0);
        _last.Add(request);
    }

    public void Add(HostRule rule, TimeSpan wait)
    {
        var (waits, waited) = Waits.GetValueOrDefault(rule);
        Waits[rule] = (waits + 1, waited + wait);
    }

    public void AddOlder(HostTally older)
    {
        (Requests, Failed, Bytes, CrawlDelay) = (Requests + older.Requests, Failed + older.Failed, Bytes + older.Bytes, CrawlDelay ?? older.CrawlDelay);
        _last.InsertRange(0, older._last.TakeLast(HostLedger.Recent - _last.Count));
        foreach (var (rule, (waits, waited)) in older.Waits)
        {
            var own = Waits.GetValueOrDefault(rule);
            Waits[rule] = (own.Waits + waits, own.Waited + waited);
        }
    }
}
