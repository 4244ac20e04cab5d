namespace Ingestion.Core.Rendering;

/// <summary>Which addresses that a document or a submission brings may become links in a page. Everything else is shown as text.</summary>
public static class SafeLink
{
    private const int MaxLength = 2048;

    /// <summary>The address to put into <c>href</c>; null where it must stay text: scripts, data, files, relative addresses, anything odd.</summary>
    public static string? Of(string? address)
    {
        if (address is not { Length: > 0 and <= MaxLength } || address.Any(c => c <= ' ' || char.IsControl(c) || c is '"' or '\'' or '<' or '>' or '\\' or '`')) return null;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri)) return null;
        var allowed = uri.Scheme == Uri.UriSchemeMailto || ((uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) && uri.Host.Length > 0);
        // The scheme must stand there as written: a parser that forgives may see another one than the browser.
        return allowed && address.StartsWith(uri.Scheme + ":", StringComparison.OrdinalIgnoreCase) ? address : null;
    }
}
