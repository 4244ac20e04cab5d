using System.Text;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>What proves a connection to its site: headers that are sent to the connection's own host, port and scheme, and nowhere else.</summary>
internal sealed class SiteSignIn(Uri? origin, IReadOnlyDictionary<string, string> headers)
{
    private static readonly Dictionary<string, string> Nothing = [];

    // They would change what is asked, or of whom.
    private static readonly HashSet<string> NotTaken = new(StringComparer.OrdinalIgnoreCase) { "Host", "Content-Length", "Transfer-Encoding", "Connection", "If-None-Match", "If-Modified-Since", "Accept-Encoding" };

    public static SiteSignIn None { get; } = new(null, Nothing);

    /// <summary>The headers for an address: none where it is not of the connection's origin.</summary>
    public IReadOnlyDictionary<string, string> For(Uri url) =>
        origin is not null && Uri.Compare(url, origin, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0 ? headers : Nothing;

    /// <summary>Throws <c>invalid_option</c> where the headers cannot be read, <c>secret_missing</c>.</summary>
    public static async Task<SiteSignIn> OfAsync(OpenConnection connection, CancellationToken ct)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in (await connection.SecretAsync("headers", ct) ?? "").Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (line.Split(':', 2) is not [var name, var value] || NotTaken.Contains(name.Trim())) throw new IngestionException(ErrorCodes.InvalidOption, "The headers of the connection are lines of the form Name: value, without those that the program sets itself.");
            headers[name.Trim()] = value.Trim();
        }
        if (await connection.SecretAsync("cookie", ct) is { } cookie) headers["Cookie"] = cookie.Trim();
        if (connection.Settings.Text("user") is { Length: > 0 } user)
            headers["Authorization"] = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{await connection.SecretAsync("password", ct)}"));
        return new(new Uri(connection.Settings.Text("address")), headers);
    }
}
