using System.Collections.Concurrent;
using Ingestion.Core.Artifacts;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Artifacts;

public sealed class DurableFoldersTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    [Fact]
    public void A_put_works_in_folders_that_a_removal_took_away()
    {
        using var folders = new DurableFolders(_root.Path);
        var folder = Path.Join(_root.Path, "a", "b");
        void Put() => folders.Put(folder, () =>
        {
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Join(folder, "file"), "x");
        });
        Put();
        folders.Remove(() => Directory.Delete(Path.Join(_root.Path, "a"), recursive: true));
        Put();
        File.Exists(Path.Join(folder, "file")).ShouldBeTrue();
    }

    [Fact]
    public void A_put_that_fails_leaves_the_tree_usable()
    {
        using var folders = new DurableFolders(_root.Path);
        Should.Throw<IOException>(() => folders.Put(_root.Path, () => throw new IOException("full")));
        folders.Remove(() => { });
        folders.Put(_root.Path, () => { });
    }

    [Fact]
    public async Task Removals_wait_for_puts_and_puts_do_not_wait_for_each_other()
    {
        using var folders = new DurableFolders(_root.Path);
        using var both = new Barrier(3);
        var order = new ConcurrentQueue<string>();
        void Meet() => both.SignalAndWait(TimeSpan.FromSeconds(30)).ShouldBeTrue();
        var puts = Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(() => folders.Put(_root.Path, () =>
        {
            Meet();
            Meet();
            order.Enqueue("put");
        }), TaskCreationOptions.LongRunning)).ToList();
        Meet();
        var remove = Task.Factory.StartNew(() => folders.Remove(() => order.Enqueue("remove")), TaskCreationOptions.LongRunning);
        Meet();
        await Task.WhenAll([.. puts, remove]);
        order.ShouldBe(["put", "put", "remove"]);
    }

    public void Dispose() => _root.Dispose();
}
