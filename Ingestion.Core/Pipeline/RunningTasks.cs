namespace Ingestion.Core.Pipeline;

/// <summary>What this process holds right now, and its name among the workers of the database.</summary>
public sealed class RunningTasks
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, RunningTask> _tasks = [];
    private readonly Dictionary<long, int> _ofBatch = [];
    private readonly CancellationTokenSource _stopping = new();
    private int _claiming;

    /// <summary>Machine, process number and a random part: unique over restarts.</summary>
    public string Worker { get; } = $"{Environment.MachineName}:{Environment.ProcessId}:{Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(4))}";

    /// <summary>Set when the process stops: nothing more is claimed and what runs is interrupted.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>True while a task is at work or a claim is under way whose tasks are not known yet.</summary>
    public bool Busy
    {
        get
        {
            lock (_lock) return _tasks.Count > 0 || Volatile.Read(ref _claiming) > 0;
        }
    }

    public IReadOnlyCollection<RunningTask> All
    {
        get
        {
            lock (_lock) return [.. _tasks.Values];
        }
    }

    public RunningTask Add(ClaimedTask task)
    {
        var held = new RunningTask(task, this, _stopping.Token);
        RunningTask? lost;
        lock (_lock)
        {
            if (!_tasks.Remove(task.Id, out lost)) _ofBatch[task.BatchId] = _ofBatch.GetValueOrDefault(task.BatchId) + 1;
            _tasks.Add(task.Id, held);
        }
        // An earlier attempt of the same task whose claim was lost may still be at work here: only the newest may go on.
        lost?.TakeAway();
        return held;
    }

    /// <summary>The same claim at work once more, as <see cref="FaultPoints"/> can ask for: neither renewed nor taken away, it has the fence alone.</summary>
    internal RunningTask Twin(ClaimedTask task) => new(task, this, _stopping.Token);

    /// <summary>
    /// True where this task's end may be what other stages of its batch wait for: the batch has, or had a moment ago, as many tasks at
    /// work here as it may, or how many it may is not known. What other processes hold is not seen; their hints and the poll tell.
    /// </summary>
    internal bool MayHoldUp(RunningTask held)
    {
        if (held.BatchWorkers is not { } workers) return true;
        lock (_lock) return _ofBatch.GetValueOrDefault(held.Task.BatchId) >= workers - 1;
    }

    /// <summary>Call around a claim, until its tasks are added.</summary>
    internal void BeginClaim() => Interlocked.Increment(ref _claiming);

    internal void EndClaim() => Interlocked.Decrement(ref _claiming);

    internal void Remove(RunningTask held)
    {
        var batch = held.Task.BatchId;
        lock (_lock)
        {
            if (!_tasks.TryGetValue(held.Task.Id, out var newest) || newest != held) return;
            _tasks.Remove(held.Task.Id);
            if (--_ofBatch[batch] == 0) _ofBatch.Remove(batch);
        }
    }

    public void Stop() => _stopping.Cancel();
}

/// <summary>A task at work in this process; its token falls when the claim is taken away.</summary>
public sealed class RunningTask : IDisposable
{
    private readonly RunningTasks _owner;
    private readonly CancellationTokenSource _taken;

    internal RunningTask(ClaimedTask task, RunningTasks owner, CancellationToken stopping)
    {
        Task = task;
        _owner = owner;
        _taken = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    }

    public ClaimedTask Task { get; }

    public CancellationToken Token => _taken.Token;

    /// <summary>How many tasks its batch may have at work; null until that was read.</summary>
    internal int? BatchWorkers { get; set; }

    /// <summary>The stage that its work asked for after it; null where that is the usual one, or not known yet.</summary>
    internal Stage? Next { get; set; }

    public void TakeAway()
    {
        try
        {
            _taken.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // it ended between the look and the act: there is nothing to take
            return;
        }
    }

    public void Dispose()
    {
        _owner.Remove(this);
        _taken.Dispose();
    }
}
