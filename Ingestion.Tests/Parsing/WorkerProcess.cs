using System.Runtime.CompilerServices;
using Ingestion.Core.Parsing;

namespace Ingestion.Tests.Parsing;

/// <summary>This assembly can be started as a parser's worker process, so that pool tests need no built application.</summary>
internal static class WorkerProcess
{
    public static IReadOnlyList<string> Command { get; } = ["dotnet", typeof(WorkerProcess).Assembly.Location, ParseWorker.Verb];

    [ModuleInitializer]
    internal static void ServeWhereAsked()
    {
        if (Environment.GetCommandLineArgs() is [_, ParseWorker.Verb]) Environment.Exit(ParseWorker.RunAsync().GetAwaiter().GetResult());
    }
}
