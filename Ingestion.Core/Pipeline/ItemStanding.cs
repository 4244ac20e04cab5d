using System.Linq.Expressions;

namespace Ingestion.Core.Pipeline;

/// <summary>Where a document stands, as fine as any outside vocabulary needs it. Each family of routes maps these to words of its own.</summary>
public enum ItemStanding
{
    /// <summary>Nothing of it has begun: it waits to be fetched.</summary>
    Waiting,
    /// <summary>A worker holds it.</summary>
    Running,
    /// <summary>One stage is done and the next has not taken it.</summary>
    Between,
    /// <summary>An attempt failed or its worker died; another one follows by itself.</summary>
    Retrying,
    /// <summary>A person decides.</summary>
    Blocked,
    Done,
    Skipped,
    Failed,
    Rejected,
    Cancelled,
}

/// <summary>Tells where documents stand, in memory and in queries by the same rules.</summary>
public static class ItemStandings
{
    public static ItemStanding Of(ItemView item) => item.State switch
    {
        ItemState.Done => ItemStanding.Done,
        ItemState.Skipped => ItemStanding.Skipped,
        ItemState.Failed => ItemStanding.Failed,
        ItemState.Rejected => ItemStanding.Rejected,
        ItemState.Cancelled => ItemStanding.Cancelled,
        _ => item.TaskState switch
        {
            TaskState.Running => ItemStanding.Running,
            TaskState.Blocked => ItemStanding.Blocked,
            _ when item.Failures + item.Crashes > 0 => ItemStanding.Retrying,
            _ => item.Stage == Stage.Acquire ? ItemStanding.Waiting : ItemStanding.Between,
        },
    };

    /// <summary>The same as a condition of a query.</summary>
    public static Expression<Func<ItemView, bool>> In(IReadOnlyCollection<ItemStanding> standings)
    {
        ItemState[] ended = [.. standings.Select(Ended).OfType<ItemState>()];
        bool waiting = standings.Contains(ItemStanding.Waiting), running = standings.Contains(ItemStanding.Running), between = standings.Contains(ItemStanding.Between),
            retrying = standings.Contains(ItemStanding.Retrying), blocked = standings.Contains(ItemStanding.Blocked);
        return i => ended.Contains(i.State) || (i.State == ItemState.Open && (
            (running && i.TaskState == TaskState.Running)
            || (blocked && i.TaskState == TaskState.Blocked)
            || (i.TaskState == TaskState.Ready && (
                (retrying && i.Failures + i.Crashes > 0)
                || (waiting && i.Failures + i.Crashes == 0 && i.Stage == Stage.Acquire)
                || (between && i.Failures + i.Crashes == 0 && i.Stage != Stage.Acquire)))));
    }

    private static ItemState? Ended(ItemStanding standing) => standing switch
    {
        ItemStanding.Done => ItemState.Done,
        ItemStanding.Skipped => ItemState.Skipped,
        ItemStanding.Failed => ItemState.Failed,
        ItemStanding.Rejected => ItemState.Rejected,
        ItemStanding.Cancelled => ItemState.Cancelled,
        _ => null,
    };
}
