using System.Text;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Artifacts;

public sealed class FolderStoreTests : IDisposable
{
    private readonly string _folder = Path.Join(Path.GetTempPath(), $"store-{Guid.NewGuid():N}");

    private FolderStore Store => Open(_folder);

    [Fact]
    public async Task What_is_put_can_be_opened_by_its_uri()
    {
        var uri = await PutAsync("acme/1/2/raw.bin", "hello");

        uri.AbsoluteUri.ShouldBe($"file://{_folder}/acme/1/2/raw.bin");
        (await ReadAsync(uri)).ShouldBe("hello");
    }

    [Theory]
    [InlineData("with blank")]
    [InlineData("with#hash")]
    [InlineData("with?mark")]
    [InlineData("with%41percent")]
    [InlineData("mit-Ümlaut")]
    public async Task Folder_with_an_unusual_name_works(string name)
    {
        var store = Open(Path.Join(_folder, name));

        var uri = new Uri((await store.PutAsync("a/b", Bytes("x"), default)).AbsoluteUri);

        (await ReadAsync(uri, store)).ShouldBe("x");
        (await ListAsync(store)).ShouldHaveSingleItem().Uri.ShouldBe(uri);
        File.Exists(Path.Join(_folder, name, "a", "b")).ShouldBeTrue();
    }

    [Theory]
    [InlineData("../outside")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../b")]
    [InlineData(".incoming/x")]
    [InlineData("")]
    public async Task Key_that_leads_outside_is_refused_and_nothing_is_written(string key)
    {
        await Should.ThrowAsync<ArgumentException>(() => PutAsync(key, "x"));

        Directory.Exists(_folder).ShouldBeFalse();
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("file://{0}/../outside")]
    [InlineData("file://{0}/%2e%2e/outside")]
    [InlineData("file://{0}-other/a")]
    [InlineData("file://{0}/.incoming/x.tmp")]
    [InlineData("file://{0}")]
    [InlineData("file://host{0}/a")]
    [InlineData("http://example.com/a")]
    [InlineData("s3://bucket/a")]
    public async Task Uri_outside_of_the_store_is_refused(string uri)
    {
        await PutAsync("a", "x");
        var outside = new Uri(string.Format(System.Globalization.CultureInfo.InvariantCulture, uri, _folder));

        await Should.ThrowAsync<InvalidOperationException>(() => Store.OpenAsync(outside, default));
        await Should.ThrowAsync<InvalidOperationException>(() => Store.DeleteAsync(outside, default));
    }

    [Fact]
    public async Task Missing_object_is_null_and_deleting_it_is_no_error()
    {
        var uri = await PutAsync("a/b", "x");
        await Store.DeleteAsync(uri, default);

        (await Store.OpenAsync(uri, default)).ShouldBeNull();
        await Store.DeleteAsync(uri, default);
    }

    [Fact]
    public async Task Objects_of_a_former_folder_stay_readable()
    {
        var uri = await PutAsync("a/b", "old");
        var moved = Open(_folder + "-new", _folder);
        try
        {
            (await ReadAsync(uri, moved)).ShouldBe("old");
            var fresh = await moved.PutAsync("a/b", Bytes("new"), default);
            (await ListAsync(moved)).Select(o => o.Uri).ShouldBe([fresh, uri], ignoreOrder: true);
        }
        finally
        {
            Directory.Delete(_folder + "-new", recursive: true);
        }
    }

    [Fact]
    public async Task Reader_keeps_what_it_opened_while_it_is_replaced()
    {
        var uri = await PutAsync("a", "first");
        await using var open = (await Store.OpenAsync(uri, default))!;

        await PutAsync("a", "second");

        using var reader = new StreamReader(open);
        (await reader.ReadToEndAsync()).ShouldBe("first");
        (await ReadAsync(uri)).ShouldBe("second");
    }

    [Fact]
    public async Task Source_that_breaks_leaves_what_was_there()
    {
        var uri = await PutAsync("a/b", "whole");

        await Should.ThrowAsync<EndOfStreamException>(() => Store.PutAsync("a/b", new BreakingStream(), default));
        await Should.ThrowAsync<EndOfStreamException>(() => Store.PutAsync("c/d", new BreakingStream(), default));

        (await ReadAsync(uri)).ShouldBe("whole");
        (await ListAsync(Store)).Count.ShouldBe(1);
        Store.StaleTemporaryFiles(DateTimeOffset.MaxValue).ShouldBeEmpty();
    }

    [Fact]
    public async Task Writers_and_readers_of_one_key_meet_whole_objects_only()
    {
        var contents = Enumerable.Range(0, 8).Select(i => new string((char)('a' + i), 200_000)).ToList();
        var uri = await PutAsync("shared/key", contents[0]);

        var writers = contents.Select(c => Task.Run(async () =>
        {
            for (var i = 0; i < 5; i++)
                await PutAsync("shared/key", c);
        }));
        var readers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 20; i++)
                contents.ShouldContain(await ReadAsync(uri));
        }));
        await Task.WhenAll(writers.Concat(readers));

        (await ListAsync(Store)).ShouldHaveSingleItem().Length.ShouldBe(200_000);
        Store.StaleTemporaryFiles(DateTimeOffset.MaxValue).ShouldBeEmpty();
    }

    [Fact]
    public async Task Folders_left_empty_go_and_others_stay()
    {
        var first = await PutAsync("acme/1/2/raw.bin", "x");
        var second = await PutAsync("acme/1/3/raw.bin", "x");

        await Store.DeleteAsync(first, default);

        Directory.Exists(Path.Join(_folder, "acme/1/2")).ShouldBeFalse();
        (await ReadAsync(second)).ShouldBe("x");
        await Store.DeleteAsync(second, default);
        Directory.Exists(Path.Join(_folder, "acme")).ShouldBeFalse();
        Directory.Exists(_folder).ShouldBeTrue();
    }

    [Fact]
    public async Task Puts_beside_deletes_in_one_folder_all_arrive()
    {
        var puts = Task.WhenAll(Enumerable.Range(0, 4).Select(n => Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                var uri = await PutAsync($"a/b/c/{n}", "x");
                (await ReadAsync(uri)).ShouldBe("x");
                await Store.DeleteAsync(uri, default);
            }
        })));
        while (!puts.IsCompleted)
            (await ListAsync(Store)).Count.ShouldBeLessThanOrEqualTo(4);
        await puts;

        (await ListAsync(Store)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Leftovers_of_a_crash_are_no_objects_and_can_be_found_when_old()
    {
        await PutAsync("a", "x");
        var leftover = Path.Join(_folder, ".incoming", "0123.tmp");
        await File.WriteAllTextAsync(leftover, "half");
        var now = new DateTimeOffset(2024, 1, 15, 10, 0, 0, TimeSpan.Zero);
        File.SetLastWriteTimeUtc(leftover, now.UtcDateTime);

        (await ListAsync(Store)).Count.ShouldBe(1);
        Store.StaleTemporaryFiles(now).ShouldBeEmpty();
        Store.StaleTemporaryFiles(now.AddSeconds(1)).ShouldBe([leftover]);
    }

    [Fact]
    public async Task Listing_tells_length_and_time_of_change()
    {
        var uri = await PutAsync("acme/1/2/raw.bin", "hello");
        var changed = new DateTimeOffset(2024, 1, 15, 10, 0, 0, TimeSpan.Zero);
        File.SetLastWriteTimeUtc(uri.LocalPath, changed.UtcDateTime);

        (await ListAsync(Store)).ShouldBe([(uri, 5, changed)]);
    }

    [Fact]
    public async Task Store_that_was_never_used_is_empty()
    {
        (await ListAsync(Store)).ShouldBeEmpty();
        Store.StaleTemporaryFiles(DateTimeOffset.MaxValue).ShouldBeEmpty();
    }

    [Fact]
    public async Task Folder_that_vanished_is_made_again()
    {
        await PutAsync("a/b", "x");
        Directory.Delete(_folder, recursive: true);

        (await ReadAsync(await PutAsync("a/b", "y"))).ShouldBe("y");
    }

    [SmallDiskFact]
    public async Task Full_disk_says_so_and_keeps_what_was_there()
    {
        using var disk = new SmallDisk();
        var store = Open(disk.Folder);
        var uri = await store.PutAsync("a/b", Bytes("x"), default);

        var failure = await Should.ThrowAsync<IngestionException>(() => store.PutAsync("a/b", new MemoryStream(new byte[4_000_000]), default));

        failure.Code.ShouldBe(ErrorCodes.StorageFull);
        (await ReadAsync(uri, store)).ShouldBe("x");
        store.StaleTemporaryFiles(DateTimeOffset.MaxValue).ShouldBeEmpty();
        // Space is back, so the store works again without a restart.
        await store.PutAsync("c", new MemoryStream(new byte[200_000]), default);
    }

    [Fact]
    public void Folder_must_be_absolute()
    {
        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder()
                .AddInMemoryCollection(new Dictionary<string, string?> { ["Ingestion:Artifacts:Folder"] = "data" })
                .Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new Core.Sources.WorkFolder(_folder))
            .AddArtifacts()
            .BuildServiceProvider();

        Should.Throw<OptionsValidationException>(services.GetRequiredService<IArtifactStore>).Message.ShouldContain("Ingestion:Artifacts:Folder");
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    private static FolderStore Open(string folder, params string[] former) =>
        new(Options.Create(new ArtifactOptions { Folder = folder, FormerFolders = former }));

    private Task<Uri> PutAsync(string key, string content) => Store.PutAsync(key, Bytes(content), default);

    private static MemoryStream Bytes(string content) => new(Encoding.UTF8.GetBytes(content));

    private async Task<string> ReadAsync(Uri uri, FolderStore? store = null)
    {
        await using var stream = (await (store ?? Store).OpenAsync(uri, default)).ShouldNotBeNull();
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }

    private static async Task<List<(Uri Uri, long Length, DateTimeOffset Changed)>> ListAsync(FolderStore store) =>
        await store.ListAsync(default).ToListAsync();

    /// <summary>Gives some bytes, then breaks as an upload does whose sender goes away.</summary>
    private sealed class BreakingStream : MemoryStream
    {
        private int _reads;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _reads++ < 3 ? new(buffer.Length) : throw new EndOfStreamException();

        public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken) =>
            CopyAsync(destination, bufferSize, cancellationToken);

        private async Task CopyAsync(Stream destination, int bufferSize, CancellationToken ct)
        {
            var buffer = new byte[bufferSize];
            while (await ReadAsync(buffer, ct) is > 0 and var count)
                await destination.WriteAsync(buffer.AsMemory(0, count), ct);
        }
    }
}
