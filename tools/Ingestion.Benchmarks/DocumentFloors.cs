using System.Diagnostics;
using Ingestion.Core.Chunking;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Parsing;
using Ingestion.Core.Sources;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Ingestion.Benchmarks;

/// <summary>One step of the document path alone, by the product's own code but without queue, events, artifacts or database.</summary>
internal static class DocumentFloors
{
    /// <param name="warmUp">Pages that are fetched before the clock starts.</param>
    public static async Task<Result> FetchAsync(Inputs inputs, int warmUp)
    {
        await using var services = Services(inputs, remote: false);
        var http = services.GetRequiredService<SafeHttp>();
        var scratch = Directory.CreateTempSubdirectory("ingestion-benchmark-").FullName;
        long bytes = 0;
        try
        {
            return await RunAsync(PageServer.Names(inputs.Pages), Settings.Requests, async (name, ct) =>
            {
                var file = Path.Join(scratch, name);
                var fetched = await http.FetchAsync(new Uri(inputs.PageServer, name), file, new FetchLimits(100 << 20, TimeSpan.FromSeconds(30)), ct: ct);
                Interlocked.Add(ref bytes, fetched.Length);
                File.Delete(file);
                return 0;
            }, warmUp);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    /// <summary>Detecting, parsing in the workers, chunking; as many at once as the pipeline parses.</summary>
    public static async Task<Result> ParseAsync(Inputs inputs)
    {
        await using var services = Services(inputs, remote: false);
        var parsers = services.GetRequiredService<DocumentParsers>();
        var chunker = new MarkdownChunker();
        return await RunAsync(PageServer.Names(inputs.Pages), Settings.Pipeline.MaxConcurrentProcessing, async (name, ct) =>
        {
            var (document, _, _) = await parsers.ParseAsync(Corpus.Raw(inputs, name), ParseLimits.Default, null, ct);
            return chunker.Split(document.Markdown, new()).Count();
        });
    }

    /// <summary>Every chunk's text through the batcher, as many documents at once as the pipeline embeds; each equal text once.</summary>
    public static async Task<Result> EmbedAsync(Inputs inputs, bool remote)
    {
        await using var services = Services(inputs, remote);
        var model = services.GetRequiredService<EmbeddingModels>().Default;
        var batcher = services.GetRequiredService<EmbeddingBatcher>();
        var seen = new HashSet<string>();
        var documents = (await Corpus.ParseAsync(inputs)).Select(p => Corpus.EmbeddingTexts([p]).Where(seen.Add).ToArray()).ToList();
        var result = await RunAsync(documents, Settings.Pipeline.Slots.Embed, async (texts, ct) =>
        {
            await batcher.EmbedAsync(model, texts, ct);
            return texts.Length;
        });
        if (remote) result.Notes.Add($"{batcher.Counters.Calls} embedding requests, warm-up included");
        return result;
    }

    private static async Task<Result> RunAsync<T>(IReadOnlyList<T> items, int parallel, Func<T, CancellationToken, Task<int>> work, int warmUp = Settings.WarmUp)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = parallel };
        await Parallel.ForEachAsync(items.Take(warmUp), options, async (item, ct) => await work(item, ct));
        var chunks = 0;
        var begun = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(items, options, async (item, ct) => Interlocked.Add(ref chunks, await work(item, ct)));
        var units = new Dictionary<string, double> { ["documents"] = items.Count };
        if (chunks > 0) units["chunks"] = chunks;
        return new(Stopwatch.GetElapsedTime(begun).TotalSeconds, units, []);
    }

    private static ServiceProvider Services(Inputs inputs, bool remote) => new ServiceCollection()
        .AddSingleton(Settings.Configuration(inputs, remote))
        .AddLogging(l => l.SetMinimumLevel(LogLevel.None))
        .AddSources().AddEmbeddings()
        .AddParsing(o => o.Command = [Environment.ProcessPath!, ParseWorker.Verb])
        .BuildServiceProvider();
}
