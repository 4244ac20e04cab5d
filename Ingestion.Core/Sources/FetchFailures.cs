using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// Gives every way in which a request can end badly its place in the taxonomy. Messages name the host alone: paths and queries can
/// hold secrets, and bodies of errors are never repeated.
/// </summary>
internal static class FetchFailures
{
    /// <summary>The longest wait that another side can ask for.</summary>
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromDays(1);

    /// <summary>The failure for a status that is neither success nor a redirect.</summary>
    public static IngestionException FromStatus(string host, HttpResponseMessage response, TimeProvider time)
    {
        var status = (int)response.StatusCode;
        var code = status switch
        {
            401 or 403 => ErrorCodes.AccessDenied,
            404 => ErrorCodes.NotFound,
            410 => ErrorCodes.Gone,
            408 or 429 => ErrorCodes.Throttled,
            >= 500 and < 600 => ErrorCodes.HttpServerError,
            >= 400 and < 500 => ErrorCodes.HttpClientError,
            _ => ErrorCodes.BadContent,
        };
        var words = Enum.IsDefined(response.StatusCode) ? $" ({Spaced(response.StatusCode)})" : "";
        return new IngestionException(code, string.Create(CultureInfo.InvariantCulture, $"{host} answered with status {status}{words}."))
        {
            RetryAfter = RetryAfter(response, time),
        };
    }

    /// <summary>The wait that a Retry-After header asks for, as seconds or as a date; at most a day, never negative.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response, TimeProvider time)
    {
        var header = response.Headers.RetryAfter;
        var wait = header?.Delta ?? (header?.Date is { } date ? date - time.GetUtcNow() : null);
        return wait is { } w ? TimeSpan.FromTicks(Math.Clamp(w.Ticks, 0, MaxRetryAfter.Ticks)) : null;
    }

    /// <summary>The failure behind an exception of the network or of the body; null where it is none that is known here.</summary>
    public static IngestionException? FromException(string host, Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is IngestionException known)
                return known;
            if (e is AuthenticationException)
                return new IngestionException(ErrorCodes.NetworkError, $"The TLS certificate or handshake of {host} is not valid: {FirstSentence(e.Message)}", exception);
            if (e is SocketException socket)
                return FromSocket(host, socket, exception);
        }
        return exception switch
        {
            HttpRequestException e => FromHttp(host, e.HttpRequestError, e),
            HttpIOException e => FromHttp(host, e.HttpRequestError, e),
            IOException e when DiskSpace.IsExhausted(e) => new IngestionException(ErrorCodes.StorageFull, "There is no space left to store what is fetched.", e),
            _ => null,
        };
    }

    public static IngestionException BadContent(string message, Exception? inner = null) => new(ErrorCodes.BadContent, message, inner);

    public static IngestionException TooLarge(string host, long maxBytes) =>
        new(ErrorCodes.TooLarge, string.Create(CultureInfo.InvariantCulture, $"The document from {host} is larger than {maxBytes:N0} bytes."));

    public static IngestionException TimedOut(string what, TimeSpan limit, Exception? inner = null) =>
        new(ErrorCodes.FetchTimeout, $"{what} in {Words(limit)}.", inner);

    public static string Words(TimeSpan span) => span.TotalSeconds < 1
        ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0} ms")
        : string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.#} s");

    private static IngestionException FromHttp(string host, HttpRequestError error, Exception e) => error switch
    {
        HttpRequestError.InvalidResponse => BadContent($"What {host} sends is not valid HTTP.", e),
        HttpRequestError.ConfigurationLimitExceeded => BadContent($"The headers from {host} are too long.", e),
        HttpRequestError.ResponseEnded => Network($"{host} closed the connection before the end.", e),
        HttpRequestError.SecureConnectionError => Network($"No secure connection to {host} could be made.", e),
        HttpRequestError.NameResolutionError => Network($"The name {host} could not be looked up.", e),
        _ => Network($"The connection to {host} broke.", e),
    };

    private static IngestionException FromSocket(string host, SocketException socket, Exception e) => Network(socket.SocketErrorCode switch
    {
        SocketError.HostNotFound or SocketError.NoData => $"The name {host} does not exist.",
        SocketError.TryAgain or SocketError.NoRecovery => $"The name {host} could not be looked up.",
        SocketError.ConnectionRefused => $"{host} refused the connection.",
        SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown => $"{host} broke the connection.",
        SocketError.TimedOut or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.HostDown => $"{host} cannot be reached.",
        _ => $"The connection to {host} failed.",
    }, e);

    private static IngestionException Network(string message, Exception e) => new(ErrorCodes.NetworkError, message, e);

    private static string FirstSentence(string message)
    {
        var end = message.IndexOfAny(['.', '\r', '\n']);
        return (end < 0 ? message : message[..end]) + ".";
    }

    /// <summary><c>NotFound</c> as <c>not found</c>.</summary>
    private static string Spaced(HttpStatusCode code) =>
        string.Concat(code.ToString().Select((c, i) => char.IsUpper(c) && i > 0 ? $" {char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
}
