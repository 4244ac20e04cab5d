using System.Buffers;
using Ingestion.Core.Events;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Live;

/// <summary>How one family tells what happened. Its texts are made once and sent to all.</summary>
internal abstract class LiveDialect
{
    public static readonly LiveDialect Api = new BatchStreamWords();
    public static readonly LiveDialect Bulk = new Families.BulkStreamWords();
    public static readonly LiveDialect Job = new Families.JobSocketWords();

    internal const int Count = 3;

    /// <summary>Its place among the dialects.</summary>
    public abstract int Index { get; }

    /// <summary>A fact as it goes over the wire.</summary>
    public abstract byte[] Fact(StoredEvent e);

    /// <summary>The whole state as it goes over the wire.</summary>
    public abstract byte[] State(LiveState state);
}

/// <summary>A batch at one moment.</summary>
/// <param name="Version">Grows with every change.</param>
/// <param name="Known">The number of the last fact that the state is certain to show.</param>
/// <param name="Last">The number of the last fact there is.</param>
internal sealed record LiveState(BatchView Batch, BatchLive Live, DateTimeOffset At, long Version, long Known, long Last)
{
    private readonly byte[]?[] _frames = new byte[]?[LiveDialect.Count];

    // Two readers may make it at once; both make the same.
    public byte[] In(LiveDialect dialect) => _frames[dialect.Index] ??= dialect.State(this);
}

/// <summary>The facts of one reading, all after one number up to another.</summary>
internal sealed class LiveFacts(long after, IReadOnlyList<StoredEvent> events)
{
    private readonly byte[]?[] _frames = new byte[]?[LiveDialect.Count];

    public long After { get; } = after;

    public long Last { get; } = events[^1].Seq;

    public int Count => events.Count;

    /// <summary>All of them, or those after a number.</summary>
    public byte[] In(LiveDialect dialect, long after) =>
        after <= After ? _frames[dialect.Index] ??= Join(dialect, events) : Join(dialect, events.Where(e => e.Seq > after));

    public static byte[] Join(LiveDialect dialect, IEnumerable<StoredEvent> events)
    {
        var all = new ArrayBufferWriter<byte>();
        foreach (var e in events) all.Write(dialect.Fact(e));
        return all.WrittenSpan.ToArray();
    }
}

/// <summary>A document at one moment.</summary>
/// <param name="Version">Grows with every change of any document of the batch.</param>
internal sealed record LiveFile(ItemView Item, byte[] Message, long Version);
