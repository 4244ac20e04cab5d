using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

/// <summary>Directories that are watched, on a real file system.</summary>
public sealed class DirectoryWatchTests
{
    [Theory]
    // The second one hears nothing, as on a network mount, and looks by the clock.
    [InlineData(true)]
    [InlineData(false)]
    public async Task Change_of_files_begins_a_sync_and_nothing_else_does(bool events)
    {
        using var files = new TemporaryDirectory("watched-");
        Directory.CreateDirectory(Path.Combine(files.Path, "deep"));
        File.WriteAllText(Path.Combine(files.Path, "deep", "a.txt"), "The heron a stands in the reeds.");
        await using var host = await PipelineHost.StartAsync(
            ("Ingestion:Sources:Roots:0", files.Path), ("Ingestion:Sources:WatchEvents", $"{events}"), ("Ingestion:Sources:WatchRest", "00:00:00.3"), ("Ingestion:Sources:WatchPoll", events ? "01:00:00" : "00:00:01"));
        await host.ConnectAsync("local_directory", "docs", new { path = files.Path, watch = true });
        await host.ConnectAsync("local_directory", "quiet", new { path = files.Path });
        await SyncsAsync(host, 1);
        // Several files within a moment are one sync.
        foreach (var name in new[] { "b", "c", "d" }) File.WriteAllText(Path.Combine(files.Path, "deep", $"{name}.txt"), $"The heron {name} stands in the reeds.");
        await SyncsAsync(host, 2);
        File.AppendAllText(Path.Combine(files.Path, "deep", "a.txt"), " And flies away.");
        await SyncsAsync(host, 3);
        (await host.QueryAsync<string>("SELECT connection_id || ':' || source_key FROM ingestion.import_item WHERE state = 'done' ORDER BY id"))
            .ShouldBe(["docs:deep/a.txt", "docs:deep/b.txt", "docs:deep/c.txt", "docs:deep/d.txt", "docs:deep/a.txt"], ignoreOrder: true);

        // Another process finds the directory watched, and takes it over once its lease has run out.
        using var other = Another(host);
        (await other.BeatAsync(CancellationToken.None)).ShouldBe(0);
        await host.Get<IEnumerable<Microsoft.Extensions.Hosting.IHostedService>>().OfType<DirectoryWatches>().Single().StopAsync(CancellationToken.None);
        await host.QueryAsync<object>("UPDATE ingestion.directory_watch SET lease_until = ingestion.clock()");
        File.WriteAllText(Path.Combine(files.Path, "e.txt"), "The heron e stands in the reeds.");
        (await other.BeatAsync(CancellationToken.None)).ShouldBe(1);
        await SyncsAsync(host, 4);
        (await host.QueryAsync<long>("SELECT turns FROM ingestion.directory_watch")).ShouldBe([4]);
    }

    [Fact]
    public async Task Directory_that_goes_is_told_and_is_taken_up_again_when_it_comes_back()
    {
        using var files = new TemporaryDirectory("watched-");
        var path = Path.Combine(files.Path, "mount");
        Directory.CreateDirectory(path);
        await using var host = await PipelineHost.StartAsync(("Ingestion:Sources:Roots:0", files.Path), ("Ingestion:Sources:WatchRest", "00:00:00.3"), ("Ingestion:Sources:WatchPoll", "00:00:01"));
        await host.ConnectAsync("local_directory", "docs", new { path, watch = true });
        await SyncsAsync(host, 1);
        Directory.Delete(path);
        await host.UntilAsync("SELECT schedule_note IS NOT NULL FROM ingestion.connection");
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "a.txt"), "The heron is back.");
        await host.UntilAsync("SELECT count(*) = 1 FROM ingestion.import_item WHERE state = 'done'");
        await host.UntilAsync("SELECT schedule_note IS NULL FROM ingestion.connection");
    }

    private static Task SyncsAsync(PipelineHost host, int count) =>
        host.UntilAsync("SELECT count(*) = $1 AND count(*) FILTER (WHERE completed_at IS NULL) = 0 FROM ingestion.import_batch", (long)count);

    private static DirectoryWatches Another(PipelineHost host) => ActivatorUtilities.CreateInstance<DirectoryWatches>(host.Get<IServiceProvider>(), new RunningTasks());
}
