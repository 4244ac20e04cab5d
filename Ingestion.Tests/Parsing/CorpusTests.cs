using System.Diagnostics;
using System.Globalization;
using System.Text;
using Ingestion.Core.Chunking;
using Ingestion.Core.Parsing;
using Ingestion.Core.Pipeline;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests.Parsing;

/// <summary>Files that nobody here wrote, through the parsers and the chunker, scored by the corpus's own rules.</summary>
public sealed class CorpusTests(ITestOutputHelper output)
{
    internal static readonly string[] Formats = ["pdf", "docx", "html", "md", "txt", "csv"];

    [CorpusFact]
    public async Task Nine_in_ten_files_give_their_text_and_none_hangs_or_crashes()
    {
        var corpus = CorpusFactAttribute.Find()!;
        var manifest = await File.ReadAllLinesAsync(Path.Combine(corpus, "MANIFEST.tsv"));
        var rows = manifest.Skip(1).Where(l => Formats.Contains(l.Split('\t')[2])).ToList();
        var work = Directory.CreateTempSubdirectory("corpus-");
        var kept = Path.Combine(work.FullName, "MANIFEST.tsv");
        await File.WriteAllLinesAsync(kept, [manifest[0], .. rows]);

        await using var pool = TestPools.Create(workers: 2);
        var parsers = TestPools.Parsers(pool);
        var results = new List<string>();
        foreach (var row in rows.Select(r => r.Split('\t'))) results.Add(await RunAsync(parsers, corpus, row[0], row[1], work.FullName));
        var table = Path.Combine(work.FullName, "RESULTS.tsv");
        await File.WriteAllLinesAsync(table, results);

        var (report, figures) = await ScoreAsync(corpus, kept, table, work.FullName);
        output.WriteLine(figures);
        output.WriteLine(report);
        work.Delete(recursive: true);
        results.ShouldNotContain(r => r.Contains("\tcrashed\t", StringComparison.Ordinal) || r.Contains("\tstuck\t", StringComparison.Ordinal));
        var failed = report.Split('\n').Count(l => l.StartsWith('V'));
        ((rows.Count - failed) / (double)rows.Count).ShouldBeGreaterThanOrEqualTo(0.9, report);
    }

    private static async Task<string> RunAsync(DocumentParsers parsers, string corpus, string id, string path, string texts)
    {
        var clock = Stopwatch.StartNew();
        var raw = new RawDocument(Path.Combine(corpus, path), Path.GetFileName(path));
        string state, error = "";
        try
        {
            var (document, _, _) = await parsers.ParseAsync(raw, TestPools.Seconds(15), null, CancellationToken.None);
            var chunks = new MarkdownChunker().Split(document.Markdown, new ChunkingOptions());
            await File.WriteAllTextAsync(Path.Combine(texts, id + ".txt"), string.Join("\n", chunks.Select(c => c.Text)));
            state = "ok";
        }
        catch (IngestionException e)
        {
            state = e.Code == ErrorCodes.ParserCrashed ? "crashed" : "failed";
            error = $"{e.Code}: {e.Message}";
        }
        return string.Create(CultureInfo.InvariantCulture, $"{id}\t{state}\t{clock.Elapsed.TotalSeconds:0.00}\t{error}");
    }

    /// <summary>The scorer's report (a line a failure) and its figures by format.</summary>
    internal static async Task<(string Report, string Figures)> ScoreAsync(string corpus, string manifest, string results, string texts)
    {
        var start = new ProcessStartInfo("python3", [Path.Combine(corpus, "check_extraction.py"), manifest, results, texts])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, StandardOutputEncoding = Encoding.UTF8,
        };
        start.Environment["PYTHONIOENCODING"] = "utf-8";
        using var python = Process.Start(start)!;
        var figures = python.StandardError.ReadToEndAsync();
        var report = await python.StandardOutput.ReadToEndAsync();
        await python.WaitForExitAsync();
        python.ExitCode.ShouldBe(0, await figures);
        return (report, await figures);
    }
}

/// <summary>Runs where the corpus lies beside the repository and python3 is there to score it.</summary>
internal sealed class CorpusFactAttribute : FactAttribute
{
    public CorpusFactAttribute()
    {
        if (Find() is null) Skip = "The corpus is not beside the repository.";
        else if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(p => File.Exists(Path.Combine(p, "python3")))) Skip = "python3 is not installed.";
    }

    public static string? Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Ingestion.sln")))
                return new[] { at.Parent, at.Parent?.Parent }.Where(p => p is not null).Select(p => Path.Combine(p!.FullName, "shared", "corpus")).FirstOrDefault(Directory.Exists);
        return null;
    }
}
