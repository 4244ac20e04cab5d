using System.Collections.Concurrent;

namespace Ingestion.Core.Sources;

/// <summary>
/// The rates of hosts that have one of their own, as this process last saw them: with every turn that it took there, and about every second
/// while it asks them anything.
/// </summary>
public sealed class HostRates
{
    private readonly ConcurrentDictionary<string, int> _own = new();

    /// <summary>Requests a minute; null where the installation's rate holds.</summary>
    /// <param name="host">Host and port, lower case.</param>
    public int? Of(string host) => _own.TryGetValue(host, out var rate) ? rate : null;

    internal void Note(string host, int? perMinute)
    {
        if (perMinute is { } rate) _own[host] = rate;
        else _own.TryRemove(host, out _);
    }
}
