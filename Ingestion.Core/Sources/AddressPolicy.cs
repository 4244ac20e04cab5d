using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Ingestion.Core.Sources;

/// <summary>What <see cref="AddressPolicy"/> says of one address.</summary>
/// <param name="Rule">The rule that refuses it, as words for a sentence (<c>a private network</c>); null where it is public.</param>
/// <param name="IsMetadata">True for a cloud's metadata service: no allow-list opens it.</param>
public readonly record struct AddressVerdict(string? Rule, bool IsMetadata = false)
{
    public bool IsPublic => Rule is null;
}

/// <summary>
/// Tells public addresses from those that no fetch may reach: own host, private and special networks of both families, metadata
/// services. Addresses that carry an IPv4 address inside are judged by what is inside. Pure: no lookup, no state.
/// </summary>
public static class AddressPolicy
{
    private const string Loopback = "this host";
    private const string Private = "a private network";
    private const string LinkLocal = "a link-local network";
    private const string Multicast = "a multicast group";
    private const string Reserved = "a reserved network";
    private const string Documentation = "a documentation network";

    private static readonly HashSet<IPAddress> Metadata =
    [
        IPAddress.Parse("169.254.169.254"), // most clouds
        IPAddress.Parse("169.254.170.2"), // container credentials
        IPAddress.Parse("169.254.170.23"),
        IPAddress.Parse("100.100.100.200"),
        IPAddress.Parse("192.0.0.192"),
        IPAddress.Parse("168.63.129.16"),
        IPAddress.Parse("fd00:ec2::254"),
        IPAddress.Parse("fd00:ec2::23"),
        IPAddress.Parse("fd20:ce::254"),
    ];

    private static readonly (IPNetwork Network, string Rule)[] V4 =
    [
        Entry("0.0.0.0/8", Loopback),
        Entry("10.0.0.0/8", Private),
        Entry("100.64.0.0/10", Private),
        Entry("127.0.0.0/8", Loopback),
        Entry("169.254.0.0/16", LinkLocal),
        Entry("172.16.0.0/12", Private),
        Entry("192.0.0.0/24", Reserved),
        Entry("192.0.2.0/24", Documentation),
        Entry("192.31.196.0/24", Reserved),
        Entry("192.52.193.0/24", Reserved),
        Entry("192.88.99.0/24", Reserved),
        Entry("192.168.0.0/16", Private),
        Entry("192.175.48.0/24", Reserved),
        Entry("198.18.0.0/15", Reserved),
        Entry("198.51.100.0/24", Documentation),
        Entry("203.0.113.0/24", Documentation),
        Entry("224.0.0.0/4", Multicast),
        Entry("240.0.0.0/4", Reserved),
    ];

    private static readonly (IPNetwork Network, string Rule)[] V6 =
    [
        Entry("::/127", Loopback),
        Entry("100::/64", Reserved),
        Entry("2001::/23", Reserved),
        Entry("2001:db8::/32", Documentation),
        Entry("2002::/16", Reserved),
        Entry("3fff::/20", Documentation),
        Entry("5f00::/16", Reserved),
        Entry("fc00::/7", Private),
        Entry("fe80::/10", LinkLocal),
        Entry("fec0::/10", Private),
        Entry("ff00::/8", Multicast),
    ];

    // Only this block of IPv6 is given out for the public internet; what is not listed above and outside of it is refused too.
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Teredo = IPNetwork.Parse("2001::/32");
    private static readonly IPNetwork Compatible = IPNetwork.Parse("::/96");

    /// <summary>Judges one address. Scope ids are ignored.</summary>
    public static AddressVerdict Judge(IPAddress address)
    {
        var plain = Normalize(address);
        if (Metadata.Contains(plain))
            return new AddressVerdict("a metadata service", IsMetadata: true);

        if (plain.AddressFamily == AddressFamily.InterNetwork)
            return new AddressVerdict(Find(V4, plain));

        if (Nat64.Contains(plain))
            return Judge(Inner(plain, 12));

        foreach (var inner in Carried(plain))
        {
            if (Judge(inner) is { IsPublic: false } verdict)
                return verdict;
        }

        return new AddressVerdict(Find(V6, plain) ?? (GlobalUnicast.Contains(plain) ? null : Reserved));
    }

    /// <summary>The address that packets go to: IPv4-mapped as IPv4, without a scope id.</summary>
    public static IPAddress Normalize(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0 ? new IPAddress(address.GetAddressBytes()) : address;
    }

    /// <summary>The IPv4 addresses inside tunnel addresses. The tunnels themselves are refused as well; this names the better rule.</summary>
    private static IEnumerable<IPAddress> Carried(IPAddress address)
    {
        if (SixToFour.Contains(address))
        {
            yield return Inner(address, 2);
        }
        else if (Teredo.Contains(address))
        {
            yield return Inner(address, 4);
            yield return Inner(address, 12, flip: true);
        }
        else if (Compatible.Contains(address) && !Find(V6, address, out _))
        {
            yield return Inner(address, 12);
        }
    }

    private static IPAddress Inner(IPAddress address, int offset, bool flip = false)
    {
        var value = BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes().AsSpan(offset, 4));
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, flip ? ~value : value);
        return new IPAddress(bytes);
    }

    private static string? Find((IPNetwork Network, string Rule)[] table, IPAddress address) =>
        Find(table, address, out var rule) ? rule : null;

    private static bool Find((IPNetwork Network, string Rule)[] table, IPAddress address, out string? rule)
    {
        foreach (var (network, found) in table)
        {
            if (!network.Contains(address))
                continue;
            rule = found;
            return true;
        }
        rule = null;
        return false;
    }

    private static (IPNetwork, string) Entry(string network, string rule) => (IPNetwork.Parse(network), rule);
}
