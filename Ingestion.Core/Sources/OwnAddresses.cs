using System.Net;
using System.Net.NetworkInformation;

namespace Ingestion.Core.Sources;

/// <summary>The addresses of this host's interfaces: public ones among them still lead to ourselves. Read anew every minute.</summary>
internal sealed class OwnAddresses(TimeProvider time)
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(1);
    private volatile Snapshot? _snapshot;

    public bool Contains(IPAddress address)
    {
        var snapshot = _snapshot;
        if (snapshot is null || time.GetElapsedTime(snapshot.Taken) > Lifetime)
            _snapshot = snapshot = new Snapshot(time.GetTimestamp(), Read());
        return snapshot.Addresses.Contains(AddressPolicy.Normalize(address));
    }

    private static HashSet<IPAddress> Read() =>
        NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => AddressPolicy.Normalize(a.Address))
            .ToHashSet();

    private sealed record Snapshot(long Taken, HashSet<IPAddress> Addresses);
}
