using Ingestion.Core.Artifacts;
using Ingestion.Core.Data;
using Ingestion.Core.Library;
using Ingestion.Core.Rendering;
using Ingestion.Core.Review;
using Ingestion.Tests.Support;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Review;

public sealed class VersionChangesTests : DatabaseTest
{
    [Fact]
    public async Task A_new_version_tells_what_stays_what_is_new_and_what_is_embedded_again()
    {
        using var folder = new TemporaryDirectory("changes-");
        var seed = new LibrarySeed(Database);
        var first = await seed.DocumentAsync("Song", ["one", "two", "three", "three"]);
        var second = await seed.VersionAsync(first, "Song", ["one", "three", "two", "four"], publish: false);
        var item = await Make.Item(await Make.Batch());
        await ExecuteAsync("UPDATE ingestion.import_item SET document_version_id = $1, generation_id = (SELECT max(id) FROM ingestion.embedding_generation) WHERE id = $2", first.Version, await Make.Item(await Make.Batch()));
        await ExecuteAsync("UPDATE ingestion.document_version SET markdown_uri = $1 WHERE id = $2", await WriteAsync(folder, "before.md", "one\ntwo\nthree\nthree\n"), first.Version);
        await ExecuteAsync("UPDATE ingestion.document_version SET markdown_uri = $1 WHERE id = $2", await WriteAsync(folder, "after.md", "one\nthree\ntwo\nfour\n"), second.Version);

        using var store = new FolderStore(Options.Create(new ArtifactOptions { Folder = folder.Path }));
        var changes = new VersionChanges(Database, new DocumentFiles(new Contexts(Database), store));
        var change = await changes.BetweenAsync("default", first.Version, second.Version, item, CancellationToken.None);
        (change.Kept, change.Moved, change.New, change.Gone).ShouldBe((1, 2, 1, 1));
        // Seeds embed what they make, so nothing is left to embed until a vector is gone.
        change.Embedded.ShouldBe(0);
        change.Chunks.Select(c => (c.IsNew, c.Text)).ShouldBe([(false, "three"), (true, "four")]);
        change.Text!.SelectMany(h => h.Lines).Count(l => l.Change != LineChange.Same).ShouldBe(4);
        await ExecuteAsync("DELETE FROM ingestion.chunk_vector WHERE text_hash = (SELECT text_hash FROM ingestion.chunk WHERE text = 'four')");
        (await changes.BetweenAsync("default", first.Version, second.Version, item, CancellationToken.None)).Embedded.ShouldBe(1);

        (await changes.DuplicatesAsync("default", second.Version, CancellationToken.None)).ShouldBeEmpty();
        var copy = await seed.DocumentAsync("Copy", ["two", "four"]);
        var other = (await changes.DuplicatesAsync("default", second.Version, CancellationToken.None)).ShouldHaveSingleItem();
        (other.DocumentId, other.Shared, other.SameBytes, other.Published).ShouldBe((copy.Document, 2, false, true));
    }

    private static async Task<string> WriteAsync(TemporaryDirectory folder, string name, string text)
    {
        var path = Path.Combine(folder.Path, name);
        await File.WriteAllTextAsync(path, text);
        return new Uri(path).ToString();
    }
}
