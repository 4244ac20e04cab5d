using System.Globalization;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Parsing;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using Xunit.Abstractions;

namespace Ingestion.Tests;

/// <summary>Files that nobody here wrote, as one batch through the whole pipeline, scored by the corpus's own rules on what was stored.</summary>
public sealed class CorpusPipelineTests(ITestOutputHelper output)
{
    [CorpusFact]
    public async Task Nine_in_ten_files_are_stored_with_their_text_and_none_is_stuck()
    {
        var corpus = CorpusFactAttribute.Find()!;
        var manifest = await File.ReadAllLinesAsync(Path.Combine(corpus, "MANIFEST.tsv"));
        var rows = manifest.Skip(1).Select(l => l.Split('\t')).Where(r => CorpusTests.Formats.Contains(r[2])).ToList();
        using var work = new TemporaryDirectory("corpus-pipeline-");
        var kept = Path.Combine(work.Path, "MANIFEST.tsv");
        await File.WriteAllLinesAsync(kept, [manifest[0], .. rows.Select(r => string.Join('\t', r))]);

        await using var app = await PipelineHost.StartAsync();
        var uploads = new List<string>();
        // Every file is scored, also where the corpus holds the same bytes twice.
        foreach (var row in rows) uploads.Add(await app.UploadAsync($"{row[0]}/{Path.GetFileName(row[1])}", await File.ReadAllBytesAsync(Path.Combine(corpus, row[1]))));
        var batch = await app.SubmitAsync(new("corpus") { Uploads = uploads, Options = new() { QualityThreshold = 0, SkipExisting = false, TimeoutSeconds = 25, MaxWorkers = 8 } });
        var ended = await app.EndedAsync(batch, TimeSpan.FromMinutes(5));

        var items = await app.ItemsAsync(batch);
        items.Count.ShouldBe(rows.Count);
        var results = new List<string>();
        foreach (var item in items) results.Add(await ResultAsync(app, item, work.Path));
        var table = Path.Combine(work.Path, "RESULTS.tsv");
        await File.WriteAllLinesAsync(table, results);

        var (report, figures) = await CorpusTests.ScoreAsync(corpus, kept, table, work.Path);
        output.WriteLine(figures);
        output.WriteLine(report);
        output.WriteLine($"{ended.Counts.Done} done, {ended.Counts.Failed} failed in {(ended.CompletedAt - ended.StartedAt)!.Value.TotalSeconds:0} s, {ended.Counts.Chunks} chunks");
        ended.Counts.Open.ShouldBe(0);
        results.ShouldNotContain(r => r.Contains("\tcrashed\t", StringComparison.Ordinal) || r.Contains("\tstuck\t", StringComparison.Ordinal));
        var failed = report.Split('\n').Count(l => l.StartsWith('V'));
        ((rows.Count - failed) / (double)rows.Count).ShouldBeGreaterThanOrEqualTo(0.9, report);
    }

    private static async Task<string> ResultAsync(PipelineHost app, ItemView item, string texts)
    {
        var id = item.SourceKey.Split('/')[0];
        var parsing = (await app.QueryAsync<double>(
            "SELECT coalesce(max(extract(epoch FROM finished_at - claimed_at)), 0)::float8 FROM ingestion.import_task_run WHERE item_id = $1 AND stage = 'parse'", item.Id)).Single();
        if (item.State == ItemState.Done)
        {
            var stored = (await app.QueryAsync<string>("SELECT markdown_uri FROM ingestion.document_version WHERE id = $1", item.DocumentVersionId!)).Single();
            File.Copy(new Uri(stored).LocalPath, Path.Combine(texts, id + ".txt"));
        }
        var state = item.State switch
        {
            ItemState.Done => "ok",
            ItemState.Open => "stuck",
            _ => item.ErrorCode is "parser_crashed" or "crashed_worker" or "internal" ? "crashed" : "failed",
        };
        return string.Create(CultureInfo.InvariantCulture, $"{id}\t{state}\t{parsing:0.00}\t{item.ErrorCode}: {item.ErrorMessage}");
    }
}
