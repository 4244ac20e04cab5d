using System.Diagnostics;
using Shouldly;

namespace Ingestion.Tests.Support;

/// <summary>Asks again until something holds; fails with what was awaited when it does not come about in time.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public static async Task IsAsync(Func<Task<bool>> holds, string what, int seconds = 30)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromSeconds(seconds)) throw new ShouldAssertException($"Not within {seconds} s: {what}");
            await Task.Delay(Pause);
        }
    }
}
