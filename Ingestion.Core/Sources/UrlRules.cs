using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Text;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// What can be judged of a URL before anything is looked up: scheme, spelling, port, names of inner networks. Passing says nothing
/// about where the name leads; that is judged on the connected address.
/// </summary>
public sealed class UrlRules(AllowedTargets allowed, IReadOnlyCollection<int> ports)
{
    /// <summary>Longest URL that is taken, in characters.</summary>
    public const int MaxLength = 8192;

    /// <summary>Reads and judges an address as a person or a page wrote it. Throws <c>invalid_url</c> or <c>blocked_url</c>.</summary>
    public Uri Parse(string text)
    {
        CheckText(text);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url))
            throw Invalid("It is not a complete URL.");
        Check(url);
        return url;
    }

    /// <summary>Reads and judges where a redirect or a link leads. Throws <c>invalid_url</c> or <c>blocked_url</c>.</summary>
    public Uri Resolve(Uri from, string target)
    {
        if (target.Length > MaxLength)
            throw Invalid($"It is longer than {MaxLength:N0} characters.");
        if (target.Any(char.IsControl) || target.Contains('\\'))
            throw Invalid("It contains a backslash or control characters.");
        if (!Uri.TryCreate(from, target, out var url))
            throw Invalid("It is not a complete URL.");
        // The escaped form: blanks and letters of other scripts are usual here.
        return Parse(url.AbsoluteUri);
    }

    /// <summary>Judges an address. Throws <c>invalid_url</c> or <c>blocked_url</c>, naming the rule.</summary>
    public void Check(Uri url)
    {
        if (!url.IsAbsoluteUri)
            throw Invalid("It is not a complete URL.");
        CheckText(url.OriginalString);
        CheckText(url.AbsoluteUri);

        if (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)
            throw Blocked("only http and https are fetched");
        if (url.UserInfo.Length > 0 || Authority(url.OriginalString).Contains('@'))
            throw Blocked("a user name or password in it is not allowed");

        var written = WrittenHost(url.OriginalString);
        var host = HostNames.Normalize(url.IdnHost);
        if (host.Length == 0)
            throw Invalid("It names no host.");
        CheckSpelling(written, host);

        if (IPAddress.TryParse(host, out var address))
            CheckAddress(HostNames.Normalize(written), address, url.Port);
        else
            CheckName(host, url.Port);
    }

    private void CheckAddress(string written, IPAddress address, int port)
    {
        if (!HostNames.IsCanonical(written, address))
            throw Blocked("its host is a number in an unusual spelling");

        var verdict = AddressPolicy.Judge(address);
        var opened = allowed.OpensAddress(address, port, ports);
        if (verdict.IsMetadata || (!verdict.IsPublic && !opened))
            throw Blocked($"it leads to {verdict.Rule}");
        if (!opened && !ports.Contains(port))
            throw BlockedPort(port);
    }

    private void CheckName(string host, int port)
    {
        if (HostNames.LooksNumeric(host))
            throw Blocked("its host is a number in an unusual spelling");
        if (Uri.CheckHostName(host) != UriHostNameType.Dns)
            throw Invalid("Its host is not a valid name.");
        if (HostNames.IsMetadata(host))
            throw Blocked("it leads to a metadata service");
        if (allowed.OpensName(host, port, ports))
            return;
        if (HostNames.IsInternal(host))
            throw Blocked("its host is a name of an inner network");
        // A network entry may open the port; which network it is shows when the name is resolved.
        if (!ports.Contains(port) && !allowed.OpensPortOfSomeNetwork(port))
            throw BlockedPort(port);
    }

    private static void CheckText([NotNull] string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            throw Invalid("It is empty.");
        if (text.Length > MaxLength)
            throw Invalid($"It is longer than {MaxLength:N0} characters.");
        if (text.AsSpan().ContainsAnyInRange('\0', '\u001f') || text.AsSpan().ContainsAnyInRange('\u007f', '\u009f'))
            throw Invalid("It contains control characters.");
        if (text.Contains('\\'))
            throw Invalid("It contains a backslash.");
        // "/etc/passwd" and "//host/" parse as absolute file addresses, "http:host" as something else again: the beginning is read here.
        if (!text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) && !text.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
            throw HasOtherScheme(text) ? Blocked("only http and https are fetched") : Invalid("It must begin with http:// or https://.");
        // Blanks further on are common in lists written by hand, and are escaped.
        if (Authority(text).Any(char.IsWhiteSpace))
            throw Invalid("Its host contains blanks.");
    }

    private static bool HasOtherScheme(string text)
    {
        var colon = text.IndexOf(':');
        return colon > 0 && text.AsSpan(0, colon) is var scheme && char.IsAsciiLetter(scheme[0])
            && !scheme.ContainsAnyExcept("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.")
            && !scheme.StartsWith("http", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Refuses hosts that look like one thing and are another: look-alike digits and dots, invisible characters, percent signs.</summary>
    private static void CheckSpelling(string written, string host)
    {
        if (written.Contains('%'))
            throw Blocked("its host contains a percent sign");
        if (written.All(char.IsAscii))
            return;
        if (written.EnumerateRunes().Any(r => Rune.GetUnicodeCategory(r) is UnicodeCategory.Format or UnicodeCategory.Control))
            throw Blocked("its host contains invisible characters");
        if (!host.Split('.').Any(label => label.StartsWith("xn--", StringComparison.Ordinal)))
            throw Blocked("its host is written with look-alike characters");
    }

    /// <summary>What stands between the two slashes and the path, as written.</summary>
    private static string Authority(string text)
    {
        var start = text.IndexOf("://", StringComparison.Ordinal) + 3;
        var end = text.AsSpan(start).IndexOfAny('/', '?', '#');
        return end < 0 ? text[start..] : text.Substring(start, end);
    }

    private static string WrittenHost(string text)
    {
        var authority = Authority(text);
        if (authority.StartsWith('['))
            return authority[..(authority.IndexOf(']') + 1)];
        var colon = authority.IndexOf(':');
        return colon < 0 ? authority : authority[..colon];
    }

    private static IngestionException Invalid(string why) => new(ErrorCodes.InvalidUrl, $"The address cannot be used. {why}");

    private static IngestionException BlockedPort(int port) =>
        Blocked(string.Create(CultureInfo.InvariantCulture, $"port {port} is not allowed"));

    internal static IngestionException Blocked(string rule) => new(ErrorCodes.BlockedUrl, $"The address is not allowed: {rule}.");
}
