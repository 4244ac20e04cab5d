using Ingestion.Core.Pipeline;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Ingestion.Core.Embeddings;

/// <summary>
/// The way to one remote model. Callers' texts become slots; equal texts share one while it is open. Slots gather until a request is full or
/// 20 ms have passed, and travel as one request, of which a limited number is under way. What is not yet answered is bounded: callers wait for room.
/// </summary>
internal sealed class EmbeddingLane : IDisposable
{
    public static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(20);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, EmbeddingSlot> _open = new(StringComparer.Ordinal);
    private readonly LinkedList<EmbeddingSlot> _waiting = new();
    private readonly HashSet<EmbeddingRequest> _underWay = [];
    private readonly EmbeddingModel _model;
    private readonly EmbeddingOptions _options;
    private readonly EmbeddingTally _tally;
    private readonly EmbeddingBreaker _breaker;
    private readonly SemaphoreSlim _room;
    private readonly ITimer _gathered;
    private int _waitingCharacters;
    private bool _due;
    private bool _disposed;

    public EmbeddingLane(EmbeddingModel model, EmbeddingOptions options, EmbeddingTally tally, TimeProvider time, ILogger logger)
    {
        (_model, _options, _tally) = (model, options, tally);
        _breaker = new EmbeddingBreaker(model.Id, time, logger);
        _room = new SemaphoreSlim(options.BatchSize * options.MaxConcurrentRequests * 4);
        _gathered = time.CreateTimer(_ => SendWhatIsDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public async Task<IReadOnlyList<float[]>> EmbedAsync(IReadOnlyList<string> texts, CancellationToken ct)
    {
        var joined = new List<EmbeddingSlot>(texts.Count);
        var answered = 0;
        try
        {
            foreach (var text in texts)
            {
                // A long document whose first texts have failed must not pay for the rest.
                while (answered < joined.Count && joined[answered].Vector.IsCompleted) await joined[answered++].Vector;
                joined.Add(await JoinAsync(text, ct));
            }
            var vectors = new float[texts.Count][];
            for (var i = 0; i < vectors.Length; i++) vectors[i] = await joined[i].Vector.WaitAsync(ct);
            return vectors;
        }
        finally
        {
            Leave(joined);
        }
    }

    public void Dispose()
    {
        EmbeddingRequest[] underWay;
        lock (_lock)
        {
            _disposed = true;
            underWay = [.. _underWay];
            FailWaiting(new ObjectDisposedException(nameof(EmbeddingBatcher)));
        }
        foreach (var request in underWay) request.Abandon();
        _gathered.Dispose();
    }

    private async Task<EmbeddingSlot> JoinAsync(string text, CancellationToken ct)
    {
        lock (_lock)
        {
            if (Share(text) is { } shared) return shared;
        }
        await _room.WaitAsync(ct);
        EmbeddingSlot slot;
        List<EmbeddingRequest> ready;
        lock (_lock)
        {
            try
            {
                ObjectDisposedException.ThrowIf(_disposed, typeof(EmbeddingBatcher));
                if (_breaker.Refusal() is { } refusal) throw refusal;
            }
            catch
            {
                _room.Release();
                throw;
            }
            // Another caller may have brought the same text while this one waited for room.
            if (Share(text) is { } shared)
            {
                _room.Release();
                return shared;
            }
            slot = new EmbeddingSlot(text);
            _open.Add(text, slot);
            _waiting.AddLast(slot);
            _waitingCharacters += text.Length;
            if (_waiting.Count == 1) _gathered.Change(GatherFor, Timeout.InfiniteTimeSpan);
            ready = TakeReady();
        }
        Send(ready);
        return slot;
    }

    private EmbeddingSlot? Share(string text)
    {
        if (!_open.TryGetValue(text, out var slot)) return null;
        slot.Waiters++;
        _tally.Shared();
        return slot;
    }

    /// <summary>A caller has its vectors, or gives up. What nobody waits for any more is taken back or cancelled.</summary>
    private void Leave(List<EmbeddingSlot> joined)
    {
        var unwanted = new HashSet<EmbeddingRequest>();
        lock (_lock)
        {
            foreach (var slot in joined)
            {
                if (--slot.Waiters > 0 || slot.Vector.IsCompleted) continue;
                if (slot.Request is { } request)
                {
                    if (request.IsWanted || !unwanted.Add(request)) continue;
                    foreach (var other in request.Slots) Close(other);
                }
                else if (_waiting.Remove(slot))
                {
                    _waitingCharacters -= slot.Text.Length;
                    Close(slot);
                }
            }
        }
        foreach (var request in unwanted) request.Abandon();
    }

    private void SendWhatIsDue()
    {
        List<EmbeddingRequest> ready;
        lock (_lock)
        {
            _due = true;
            ready = TakeReady();
        }
        Send(ready);
    }

    private List<EmbeddingRequest> TakeReady()
    {
        var ready = new List<EmbeddingRequest>();
        var allowed = _breaker.IsTrial ? 1 : _options.MaxConcurrentRequests;
        while (_waiting.Count > 0 && _underWay.Count < allowed && (_due || IsFull)) ready.Add(Take());
        if (_waiting.Count == 0) _due = false;
        return ready;
    }

    private bool IsFull => _waiting.Count >= _options.BatchSize || _waitingCharacters >= OpenAiEmbedder.MaxCharactersPerRequest;

    private EmbeddingRequest Take()
    {
        var slots = new List<EmbeddingSlot>();
        var characters = 0;
        while (_waiting.First?.Value is { } slot && RequestSize.Fits(slots.Count, characters, slot.Text.Length, _options.BatchSize))
        {
            _waiting.RemoveFirst();
            _waitingCharacters -= slot.Text.Length;
            characters += slot.Text.Length;
            slots.Add(slot);
        }
        var request = new EmbeddingRequest(slots, _breaker.Epoch);
        foreach (var slot in slots) slot.Request = request;
        _underWay.Add(request);
        return request;
    }

    private void Send(List<EmbeddingRequest> ready)
    {
        foreach (var request in ready) _ = SendAsync(request);
    }

    private async Task SendAsync(EmbeddingRequest request)
    {
        await AskAsync(request.Slots, request);
        List<EmbeddingRequest> ready;
        lock (_lock)
        {
            _underWay.Remove(request);
            ready = TakeReady();
        }
        Send(ready);
    }

    /// <summary>Never throws: every ending goes to the slots.</summary>
    private async Task AskAsync(IReadOnlyList<EmbeddingSlot> slots, EmbeddingRequest request)
    {
        _tally.Sent(slots.Count);
        try
        {
            var reply = await _model.Generator.GenerateAsync(slots.Select(s => s.Text).ToArray(), cancellationToken: request.Abandoned);
            if (reply.Count != slots.Count)
                throw new IngestionException(ErrorCodes.EmbeddingInvalid, $"The embedding model {_model.Id} gave {reply.Count} vectors for {slots.Count} texts.");
            _tally.Charged(reply.Usage?.TotalTokenCount ?? 0);
            _tally.Answered();
            lock (_lock)
            {
                _breaker.Answered(request.Epoch);
                for (var i = 0; i < slots.Count; i++)
                {
                    Close(slots[i]);
                    slots[i].Succeed(VectorOf(reply[i]));
                }
            }
        }
        catch (IngestionException e) when (e.InnerException is RefusedInputException && slots.Count > 1)
        {
            // One bad text must not fail the documents that happen to travel with it.
            _tally.Failed();
            await AskAsync([.. slots.Take(slots.Count / 2)], request);
            await AskAsync([.. slots.Skip(slots.Count / 2)], request);
        }
        catch (Exception e)
        {
            _tally.Failed();
            lock (_lock)
            {
                foreach (var slot in slots)
                {
                    Close(slot);
                    slot.Fail(e);
                }
                Judge(e as IngestionException, request);
            }
        }
    }

    private void Judge(IngestionException? failure, EmbeddingRequest request)
    {
        if (failure is null) return;
        if (failure.InnerException is RefusedInputException) _tally.Answered();
        else _tally.Missed(failure.Code.Code);
        if (failure.Code.Retries)
        {
            if (_breaker.Failed(request.Epoch, failure)) FailWaiting(_breaker.Refusal()!);
        }
        else
        {
            _breaker.Answered(request.Epoch);
        }
    }

    private void FailWaiting(Exception failure)
    {
        foreach (var slot in _waiting)
        {
            Close(slot);
            slot.Fail(failure);
        }
        _waiting.Clear();
        _waitingCharacters = 0;
    }

    /// <summary>From here on nobody can join the slot, and its place is free. Harmless when repeated.</summary>
    private void Close(EmbeddingSlot slot)
    {
        if (!_open.TryGetValue(slot.Text, out var current) || current != slot) return;
        _open.Remove(slot.Text);
        _room.Release();
    }

    private static float[] VectorOf(Embedding<float> embedding) =>
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(embedding.Vector, out var array) && array.Array!.Length == array.Count
            ? array.Array
            : embedding.Vector.ToArray();
}
