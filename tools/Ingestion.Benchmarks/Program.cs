using Ingestion.Benchmarks;
using Ingestion.Core.Parsing;

// It reads /proc.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

return args switch
{
    // The parser pool starts this binary as its worker: answered before anything else exists.
    [ParseWorker.Verb, ..] => await ParseWorker.RunAsync(),
    [PageServer.Verb, var folder] => await PageServer.RunAsync(folder),
    [EmbeddingServer.Verb] => await EmbeddingServer.RunAsync(),
    [Contenders.Verb, var name, .. var settings] => await Contenders.RunAsync(name, settings),
    _ => await CommandLine.RunAsync(args),
};
