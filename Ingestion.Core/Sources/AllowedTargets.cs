using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Ingestion.Core.Sources;

/// <summary>
/// The administrator's list of places that may be fetched although they are not public: <c>wiki.corp</c>, <c>wiki.corp:9000</c>,
/// <c>10.1.2.3</c>, <c>127.0.0.1:5001</c>, <c>[::1]:5001</c>, <c>10.0.0.0/8</c>, <c>10.0.0.0/8:9000</c>.
/// An entry with a port opens that port alone; one without keeps to the allowed ports. A name opens whatever that name resolves to,
/// a network opens its addresses under any name that is otherwise allowed. Metadata services are never opened by this list.
/// </summary>
public sealed class AllowedTargets
{
    private readonly List<Target> _targets;

    private AllowedTargets(List<Target> targets) => _targets = targets;

    public static AllowedTargets None { get; } = new([]);

    /// <summary>Reads the entries. On false, <paramref name="error"/> names the one that cannot be read.</summary>
    public static bool TryParse(IEnumerable<string> entries, [NotNullWhen(true)] out AllowedTargets? targets, [NotNullWhen(false)] out string? error)
    {
        var parsed = new List<Target>();
        foreach (var entry in entries)
        {
            if (Parse(entry.Trim()) is not { } target)
            {
                targets = null;
                error = $"'{entry}' is not a host, address or network, with or without a port";
                return false;
            }
            parsed.Add(target);
        }
        targets = new AllowedTargets(parsed);
        error = null;
        return true;
    }

    /// <summary>True where an entry names this host (a name as written in the URL, lower case, without a trailing dot).</summary>
    public bool OpensName(string host, int port, IReadOnlyCollection<int> defaultPorts) =>
        _targets.Any(t => t.Name is not null && t.Name == host && t.OpensPort(port, defaultPorts));

    /// <summary>True where an entry names this address or a network that holds it.</summary>
    public bool OpensAddress(IPAddress address, int port, IReadOnlyCollection<int> defaultPorts)
    {
        var plain = AddressPolicy.Normalize(address);
        return _targets.Any(t => t.Network is { } network && network.Contains(plain) && t.OpensPort(port, defaultPorts));
    }

    /// <summary>True where an entry without a name might open this port for an address not known yet.</summary>
    public bool OpensPortOfSomeNetwork(int port) => _targets.Any(t => t.Network is not null && t.Port == port);

    private static Target? Parse(string entry)
    {
        if (entry.Length == 0)
            return null;

        var (host, port) = SplitPort(entry);
        if (port is < 1 or > 65535)
            return null;

        if (IPNetwork.TryParse(host, out var network))
            return new Target(null, network, port);
        if (IPAddress.TryParse(host, out var address) && HostNames.IsCanonical(host, address))
        {
            var plain = AddressPolicy.Normalize(address);
            return new Target(null, new IPNetwork(plain, plain.GetAddressBytes().Length * 8), port);
        }
        var name = HostNames.Normalize(host);
        return Uri.CheckHostName(name) == UriHostNameType.Dns && !HostNames.LooksNumeric(name) ? new Target(name, null, port) : null;
    }

    /// <summary>Splits off <c>:port</c>; −1 stands for a port that is no number.</summary>
    private static (string Host, int? Port) SplitPort(string entry)
    {
        if (entry.StartsWith('['))
        {
            var end = entry.IndexOf(']');
            if (end < 0)
                return (entry, -1);
            var rest = entry[(end + 1)..];
            // [fd00::]/8:9000 and [fd00::/8]:9000 both name a network with a port.
            var slash = rest.StartsWith('/') ? rest.Split(':')[0] : "";
            rest = rest[slash.Length..];
            return (entry[1..end] + slash, rest.Length == 0 ? null : rest[0] == ':' ? Number(rest[1..]) : -1);
        }
        var colon = entry.IndexOf(':');
        // More than one colon without brackets is an IPv6 address or network.
        return colon < 0 || entry.IndexOf(':', colon + 1) >= 0 ? (entry, null) : (entry[..colon], Number(entry[(colon + 1)..]));
    }

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : -1;

    private sealed record Target(string? Name, IPNetwork? Network, int? Port)
    {
        public bool OpensPort(int port, IReadOnlyCollection<int> defaultPorts) => Port is { } own ? own == port : defaultPorts.Contains(port);
    }
}
