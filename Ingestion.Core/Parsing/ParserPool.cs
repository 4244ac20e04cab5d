using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Parsing;

/// <summary>
/// The worker processes that read formats which can hang or kill their reader. Children are started on demand, kept between
/// documents, replaced when worn out, killed when a document overruns, and never outlive this process.
/// </summary>
public sealed class ParserPool(IOptions<ParserPoolOptions> options, TimeProvider time, ILogger<ParserPool> logger) : IAsyncDisposable
{
    private readonly SemaphoreSlim _slots = new(Math.Max(1, options.Value.Workers));
    private readonly ConcurrentStack<ParserChild> _idle = new();
    private readonly ConcurrentDictionary<ParserChild, byte> _all = new();
    private readonly CancellationTokenSource _closing = new();

    /// <summary>Process ids of the children alive now.</summary>
    internal IReadOnlyCollection<int> ProcessIds => [.. _all.Keys.Where(c => c.IsAlive).Select(c => c.Id)];

    /// <summary>
    /// Parses a document in a child; waits for one to be free, which does not count against its time. Throws what the parser
    /// reported, or <c>parse_timeout</c>, <c>limit_exceeded</c>, <c>parser_crashed</c>; a cancelled call returns after the child is dead.
    /// </summary>
    public async Task<ParsedDocument> ParseAsync(string format, RawDocument raw, ParseLimits limits, ParseProgress? progress, CancellationToken ct)
    {
        ObjectDisposedException.ThrowIf(_closing.IsCancellationRequested, this);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, _closing.Token);
        await _slots.WaitAsync(both.Token);
        try
        {
            var child = Take();
            try
            {
                return await child.ParseAsync(format, raw, limits, progress, both.Token);
            }
            finally
            {
                Return(child);
            }
        }
        finally
        {
            _slots.Release();
        }
    }

    /// <summary>Cancels what runs and ends every child.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested) return;
        await _closing.CancelAsync();
        for (var slot = 0; slot < Math.Max(1, options.Value.Workers); slot++) await _slots.WaitAsync();
        foreach (var child in _all.Keys) Drop(child);
        _slots.Dispose();
        _closing.Dispose();
    }

    private ParserChild Take()
    {
        while (_idle.TryPop(out var idle))
        {
            if (idle.IsAlive) return idle;
            Drop(idle);
        }
        var child = ParserChild.Start(options.Value, time);
        _all.TryAdd(child, 0);
        Log.ParserStarted(logger, child.Id);
        return child;
    }

    private void Return(ParserChild child)
    {
        if (child.IsReusable && !_closing.IsCancellationRequested) { _idle.Push(child); return; }
        Log.ParserEnded(logger, child.Id, child.Documents);
        Drop(child);
    }

    private void Drop(ParserChild child)
    {
        if (_all.TryRemove(child, out _)) child.Dispose();
    }
}
