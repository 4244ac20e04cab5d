namespace Ingestion.Core.Sources;

/// <summary>
/// Addresses that the frontier is known to hold, so that the links on every page need not be asked for again and again. A bounded number: once it is
/// full it begins anew, and the database is asked.
/// </summary>
internal sealed class KnownAddresses
{
    private const int Most = 50_000;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public bool Contains(Uri url) => _known.Contains(url.AbsoluteUri);

    public void Add(Uri url)
    {
        if (_known.Count >= Most) _known.Clear();
        _known.Add(url.AbsoluteUri);
    }
}
