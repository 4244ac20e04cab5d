using Ingestion.Core.Parsing;

namespace Ingestion.Admin.Cli;

/// <summary>
/// Verbs that this program starts itself with, as short-lived child processes. They are answered before any host,
/// settings or command line exists: such a process may run untrusted bytes and should hold as little as possible.
/// </summary>
internal static class ChildVerbs
{
    /// <summary>The verb and what runs it; the arguments are those after the verb, the result is the exit code.</summary>
    private static readonly Dictionary<string, Func<string[], Task<int>>> All = new()
    {
        [ParseWorker.Verb] = _ => ParseWorker.RunAsync(),
    };

    /// <summary>What to run for these arguments; null where they are not a child's.</summary>
    public static Func<Task<int>>? Find(string[] args) =>
        args is [var verb, .. var rest] && All.TryGetValue(verb, out var run) ? () => run(rest) : null;
}
