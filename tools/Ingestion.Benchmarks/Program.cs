using Ingestion.Benchmarks;
using Ingestion.Core.Parsing;
using static System.Globalization.CultureInfo;

// It reads /proc.
[assembly: System.Runtime.Versioning.SupportedOSPlatform("linux")]

return args switch
{
    // The parser pool starts this binary as its worker: answered before anything else exists.
    [ParseWorker.Verb, ..] => await ParseWorker.RunAsync(),
    [PageServer.Verb, var folder] => await PageServer.RunAsync(folder),
    [LinkServer.Verb] => await LinkServer.RunAsync(),
    [EmbeddingServer.Verb] => await EmbeddingServer.RunAsync(),
    [SubscriberClients.Verb, var server, var job, var reading, var silent, var file] => await SubscriberClients.RunAsync(new(server), job, int.Parse(reading, InvariantCulture), int.Parse(silent, InvariantCulture), file),
    [Contenders.Verb, var name, .. var settings] => await Contenders.RunAsync(name, settings),
    _ => await CommandLine.RunAsync(args),
};
