using System.Text;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Duties;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Sources.SourceMaking;
using static Ingestion.Tests.Sources.ZipSamples;

namespace Ingestion.Tests.Sources;

/// <summary>Zip archives that were sent with a submission.</summary>
public sealed class UploadedArchiveTests
{
    [Fact]
    public async Task Files_of_uploaded_archives_are_documents_beside_uploaded_files()
    {
        await using var host = await PipelineHost.StartAsync();
        var papers = Zip(("one.txt", "The first text."), ("../../two.txt", "The second text."), ("inner.zip", Zip(("three.txt", "The third text."))), ("link.txt", new Link("/etc/passwd")));
        string[] uploads =
        [
            await host.UploadAsync("work/papers.zip", papers), await host.UploadAsync("OTHER.ZIP", Zip(("one.txt", "Another first text."))),
            await host.UploadAsync("broken.zip", Encoding.UTF8.GetBytes(new string('n', 500))), await host.UploadAsync("plain.txt", "A plain text."),
        ];
        var batch = await host.SubmitAsync(new("Mixed") { Uploads = uploads });
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string>
        {
            ["work/papers.zip/one.txt"] = "done", ["work/papers.zip/../../two.txt"] = "done", ["work/papers.zip/inner.zip/three.txt"] = "done", ["work/papers.zip/link.txt"] = "skipped",
            ["OTHER.ZIP/one.txt"] = "done", ["plain.txt"] = "done",
        }, ignoreOrder: true);
        (await host.ItemsAsync(batch)).Select(i => i.SourceType).Distinct().ShouldBe([SourceTypes.Upload]);
        (await host.QueryAsync<string>("SELECT coalesce(error_code, state) FROM ingestion.import_input WHERE batch_id = $1 ORDER BY ordinal", batch.BatchId)).ShouldBe(["done", "done", "corrupt"]);
        await host.VerifiedAsync();

        // What the store has is not kept twice; what failed to be read is.
        await host.QueryAsync<object>("UPDATE ingestion.upload SET completed_at = completed_at - interval '2 minutes'");
        await host.QueryAsync<object>("UPDATE ingestion.import_item SET source_version_id = (SELECT max(id) FROM ingestion.source_version) WHERE source_version_id IS NULL");
        await host.Get<IEnumerable<IDuty>>().OfType<SweepFiles>().Single().RunAsync(new(TimeProvider.System.GetUtcNow(), null), CancellationToken.None);
        var left = host.Get<UploadFiles>();
        uploads.Select(u => File.Exists(left.PathOf(u))).ShouldBe([false, false, true, false]);
    }

    [Fact]
    public async Task Archive_that_is_to_be_one_document_is_one()
    {
        await using var host = await PipelineHost.StartAsync();
        var batch = await host.SubmitAsync(new("One") { Uploads = [await host.UploadAsync("papers.zip", Zip(("one.txt", "The first text.")))], OpenArchives = false });
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Failed);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string> { ["papers.zip"] = "unsupported" });
        await host.VerifiedAsync();
    }
}
