using System.Net;
using System.Net.Sockets;

namespace Ingestion.Core.Sources;

/// <summary>Looks a host name up. Throws <see cref="SocketException"/> where that fails.</summary>
internal delegate Task<IPAddress[]> ResolveHost(string host, CancellationToken ct);

/// <summary>Opens a connection to one address. Throws <see cref="SocketException"/> where that fails.</summary>
internal delegate Task<Stream> DialAddress(IPEndPoint endPoint, CancellationToken ct);

/// <summary>
/// The only way out: resolves a name once, refuses it if any of its addresses is refused, and connects to an address that was judged,
/// so that no second look-up can lead elsewhere.
/// </summary>
internal sealed class GuardedConnector(
    AllowedTargets allowed,
    IReadOnlyCollection<int> ports,
    TimeProvider time,
    ResolveHost resolve,
    DialAddress dial)
{
    /// <summary>Addresses of one name that are tried before giving up.</summary>
    private const int MaxAttempts = 4;

    private readonly OwnAddresses _own = new(time);

    /// <summary>Connects for <see cref="SocketsHttpHandler"/>. Throws <c>blocked_url</c>; the handler's ConnectTimeout cancels <paramref name="ct"/>.</summary>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var host = HostNames.Normalize(context.DnsEndPoint.Host);
        var port = context.DnsEndPoint.Port;
        var addresses = await ResolveAsync(host, ct);
        foreach (var address in addresses)
            Require(host, address, port);
        return await DialFirstAsync(addresses, port, ct);
    }

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken ct)
    {
        if (IPAddress.TryParse(host, out var literal))
            return [literal];
        var addresses = await resolve(host, ct);
        return addresses.Length > 0 ? addresses : throw new SocketException((int)SocketError.NoData);
    }

    private void Require(string host, IPAddress address, int port)
    {
        var verdict = AddressPolicy.Judge(address);
        if (verdict.IsMetadata)
            throw UrlRules.Blocked($"it leads to {verdict.Rule}");
        if (allowed.OpensName(host, port, ports) || allowed.OpensAddress(address, port, ports))
            return;
        if (!verdict.IsPublic)
            throw UrlRules.Blocked($"it leads to {verdict.Rule}");
        if (_own.Contains(address))
            throw UrlRules.Blocked("it leads to this host");
        if (!ports.Contains(port))
            throw UrlRules.Blocked($"port {port} is not allowed");
    }

    private async Task<Stream> DialFirstAsync(IPAddress[] addresses, int port, CancellationToken ct)
    {
        SocketException? last = null;
        foreach (var address in addresses.Take(MaxAttempts))
        {
            try
            {
                return await dial(new IPEndPoint(AddressPolicy.Normalize(address), port), ct);
            }
            catch (SocketException e)
            {
                last = e;
            }
        }
        throw last!;
    }

    /// <summary>The system's own look-up.</summary>
    public static Task<IPAddress[]> ResolveBySystemAsync(string host, CancellationToken ct) => Dns.GetHostAddressesAsync(host, ct);

    /// <summary>A plain TCP connection whose other end is asked for once it stands.</summary>
    public static async Task<Stream> DialTcpAsync(IPEndPoint endPoint, CancellationToken ct)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(endPoint, ct);
            // A redirecting network stack could have led us elsewhere than we asked for.
            if (socket.RemoteEndPoint is not IPEndPoint remote || !AddressPolicy.Normalize(remote.Address).Equals(endPoint.Address))
                throw UrlRules.Blocked("it leads elsewhere than its name says");
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
