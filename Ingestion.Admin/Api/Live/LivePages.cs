namespace Ingestion.Admin.Api.Live;

/// <summary>
/// Pages of a batch's log for those who are far behind. They begin at fixed numbers, so that whoever comes again after a restart, wherever
/// they stood, reads the same few pages; each is read once.
/// </summary>
internal sealed class LivePages
{
    /// <summary>Facts of a page.</summary>
    public const int Size = 500;

    // Some megabytes with their texts.
    private const int Kept = 16;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, LiveFacts> _pages = [];
    private readonly Queue<long> _order = [];

    /// <summary>The number after which the page begins that has what follows a number.</summary>
    public static long StartOf(long after) => after - after % Size;

    /// <summary>Null where it is not kept.</summary>
    public LiveFacts? Find(long start)
    {
        lock (_gate) return _pages.GetValueOrDefault(start);
    }

    /// <summary>Keeps a page that is full; one that may still grow is read again.</summary>
    public void Keep(LiveFacts page)
    {
        if (page.Count < Size) return;
        lock (_gate)
        {
            if (!_pages.TryAdd(page.After, page)) return;
            _order.Enqueue(page.After);
            if (_order.Count > Kept) _pages.Remove(_order.Dequeue());
        }
    }
}
