using System.Collections.Immutable;
using System.Diagnostics;
using Ingestion.Core.Pipeline.Verify;

namespace Ingestion.Admin.Components.Pages.Operations;

/// <summary>A verification that runs, or ran, in this process: a picture that never changes; the next one takes its place.</summary>
/// <param name="Results">What has been checked so far, by name.</param>
/// <param name="Report">Null until it ended.</param>
/// <param name="Fault">Why it could not be ended, in a sentence.</param>
public sealed record SelfCheckRun(
    VerifyRequest Request, long Started, TimeSpan Took, ImmutableDictionary<string, CheckResult> Results, VerifyReport? Report = null, string? Fault = null)
{
    public bool IsRunning => Report is null && Fault is null;
}

/// <summary>Runs verifications for whoever looks: outside of any circuit, one at a time, and every open page sees the same one.</summary>
internal sealed class SelfCheckRuns(Verification verification, IHostApplicationLifetime lifetime)
{
    private readonly Lock _gate = new();

    /// <summary>The one that runs or ran last in this process; null before the first.</summary>
    public SelfCheckRun? Latest { get; private set; }

    /// <summary>Begins one; false where one is running already.</summary>
    public bool Begin(VerifyRequest request)
    {
        lock (_gate)
        {
            if (Latest is { IsRunning: true }) return false;
            Latest = new(request, Stopwatch.GetTimestamp(), TimeSpan.Zero, ImmutableDictionary<string, CheckResult>.Empty);
        }
        _ = Task.Run(() => RunAsync(request));
        return true;
    }

    private async Task RunAsync(VerifyRequest request)
    {
        try
        {
            var report = await verification.RunAsync(request, lifetime.ApplicationStopping, new Told(this));
            Change(run => run with { Report = report });
        }
        catch (Exception e)
        {
            Change(run => run with { Fault = e.Message });
        }
    }

    private void Change(Func<SelfCheckRun, SelfCheckRun> change)
    {
        lock (_gate)
        {
            var run = Latest!;
            Latest = change(run with { Took = Stopwatch.GetElapsedTime(run.Started) });
        }
    }

    // At once and in order, which Progress<T> does not promise.
    private sealed class Told(SelfCheckRuns runs) : IProgress<CheckResult>
    {
        public void Report(CheckResult value) => runs.Change(run => run with { Results = run.Results.SetItem(value.Name, value) });
    }
}
