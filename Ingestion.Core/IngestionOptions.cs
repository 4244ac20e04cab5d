using System.Net;

namespace Ingestion.Core;

/// <summary>What a process of this program does. Several processes may share one database.</summary>
public enum ServerRole
{
    /// <summary>Answers people and clients.</summary>
    Web,
    /// <summary>Runs the pipeline; answers health checks only.</summary>
    Worker,
    /// <summary>Everything in one process.</summary>
    Both,
}

/// <summary>Where the program listens, keeps its data and whom it lets in: section <c>Ingestion</c>.</summary>
public sealed class IngestionOptions
{
    public const string Section = "Ingestion";

    /// <summary>TCP port, 0 for any free one.</summary>
    public int Port { get; set; } = 8001;

    /// <summary>The IP address to listen on.</summary>
    public string Bind { get; set; } = "127.0.0.1";

    /// <summary>The data directory; empty for the platform's usual place, see <see cref="Settings.DataDirectory"/>.</summary>
    public string Data { get; set; } = "";

    public ServerRole Role { get; set; } = ServerRole.Both;

    /// <summary>An administrator's API key; empty for none.</summary>
    public string BootstrapKey { get; set; } = "";

    /// <summary>Host names that requests may ask for; empty for the loopback names while bound to loopback, else any.</summary>
    public IList<string> AllowedHosts { get; } = [];

    public bool RunsWeb => Role is ServerRole.Web or ServerRole.Both;

    public bool RunsPipeline => Role is ServerRole.Worker or ServerRole.Both;

    /// <summary>True where only this machine can reach the program. False for an address that cannot be read.</summary>
    public bool IsLoopback => IPAddress.TryParse(Bind, out var address) && IPAddress.IsLoopback(address);
}

/// <summary>How often pages look for themselves where live updates do not arrive: section <c>Ingestion:Refresh</c>.</summary>
public sealed class RefreshOptions
{
    public const string Section = "Ingestion:Refresh";

    /// <summary>Seconds between two looks.</summary>
    public int Seconds { get; set; } = 3;
}
