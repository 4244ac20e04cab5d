using System.Security.Cryptography;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

public sealed class UploadStoreTests : IAsyncLifetime
{
    private static readonly Actor Actor = new("default", "tester");
    private readonly TemporaryDirectory _folder = new("uploads-");
    private TestDatabase _test = null!;
    private Database _database = null!;

    public async Task InitializeAsync()
    {
        _test = await PostgresServer.CreateDatabaseAsync();
        _database = new Database(_test.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await _database.DisposeAsync();
        await _test.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Parts_add_up_to_the_file_and_its_hash()
    {
        var store = Store();
        var content = Bytes(1_000_003);
        var upload = await store.CreateAsync(Actor, new("a.bin", content.Length), default);
        for (var at = 0; at < content.Length;) at = (int)(await store.WriteAsync("default", upload.PublicId, at, Part(content, at, 300_000), default))!.Value;
        await ShouldBeWholeAsync(store, upload.PublicId, content);
    }

    [Fact]
    public async Task Connection_that_breaks_keeps_what_arrived()
    {
        var store = Store();
        var content = Bytes(500_000);
        var upload = await store.CreateAsync(Actor, new("a.bin", content.Length), default);
        await Should.ThrowAsync<IOException>(() => store.WriteAsync("default", upload.PublicId, 0, new Breaking(content, 200_000), default));

        var kept = store.OffsetOf((await store.FindAsync("default", upload.PublicId, default))!);
        kept.ShouldBe(200_000);
        (await store.WriteAsync("default", upload.PublicId, kept, Part(content, (int)kept), default)).ShouldBe(content.Length);
        await ShouldBeWholeAsync(store, upload.PublicId, content);
    }

    [Fact]
    public async Task Restart_in_the_middle_changes_nothing_of_the_hash()
    {
        var content = Bytes(700_000);
        var upload = await Store().CreateAsync(Actor, new("a.bin", content.Length), default);
        await Store().WriteAsync("default", upload.PublicId, 0, Part(content, 0, 300_000), default);
        var after = Store();
        (await after.WriteAsync("default", upload.PublicId, 300_000, Part(content, 300_000), default)).ShouldBe(content.Length);
        await ShouldBeWholeAsync(after, upload.PublicId, content);
    }

    [Fact]
    public async Task Lost_last_answer_is_made_good_by_an_empty_part()
    {
        var store = Store();
        var content = Bytes(10_000);
        var upload = await store.CreateAsync(Actor, new("a.bin", content.Length), default);
        await Should.ThrowAsync<IOException>(() => store.WriteAsync("default", upload.PublicId, 0, new Breaking(content, content.Length), default));
        (await store.FindAsync("default", upload.PublicId, default))!.CompletedAt.ShouldBeNull();
        await store.WriteAsync("default", upload.PublicId, content.Length, Stream.Null, default);
        await ShouldBeWholeAsync(store, upload.PublicId, content);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(0)]
    public async Task Wrong_offset_tells_the_right_one(long offset)
    {
        var store = Store();
        var upload = await store.CreateAsync(Actor, new("a.bin", 100), default);
        await store.WriteAsync("default", upload.PublicId, 0, new MemoryStream(new byte[40]), default);
        (await Should.ThrowAsync<UploadOffsetException>(() => store.WriteAsync("default", upload.PublicId, offset, new MemoryStream(new byte[10]), default))).Offset.ShouldBe(40);
    }

    [Fact]
    public async Task Of_many_writers_at_one_offset_each_byte_is_taken_once()
    {
        var store = Store();
        var content = Bytes(400_000);
        var upload = await store.CreateAsync(Actor, new("a.bin", content.Length), default);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (long at = 0; at < content.Length;)
            {
                try
                {
                    at = (await store.WriteAsync("default", upload.PublicId, at, Part(content, (int)at, 50_000), default))!.Value;
                }
                catch (UploadOffsetException e)
                {
                    at = e.Offset;
                }
            }
        })));
        await ShouldBeWholeAsync(store, upload.PublicId, content);
    }

    [Theory]
    [InlineData("../../etc/passwd", "../../etc/passwd")]
    [InlineData("/etc/passwd", "etc/passwd")]
    [InlineData("a\\b\\c.txt", "a/b/c.txt")]
    [InlineData("two\nlines\0.txt", "two\uFFFDlines\uFFFD.txt")]
    [InlineData("  ", "unnamed")]
    [InlineData("Cafe\u0301.txt", "Caf\u00E9.txt")]
    public async Task Name_is_text_and_leads_nowhere(string sent, string kept)
    {
        var store = Store();
        var upload = await store.CreateAsync(Actor, new(sent, 3), default);
        upload.Path.ShouldBe(kept);
        await store.WriteAsync("default", upload.PublicId, 0, new MemoryStream("abc"u8.ToArray()), default);
        Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).ShouldBe([Path.Combine(_folder.Path, upload.PublicId)]);
    }

    // Not a line of the theory: half a character does not survive the runner's own storing of test data.
    [Fact]
    public Task Half_a_character_in_a_name_is_replaced() => Name_is_text_and_leads_nowhere("lone\uD800surrogate", "lone\uFFFDsurrogate");

    [Fact]
    public void Half_a_character_becomes_the_sign_for_it() => UploadPath.Clean("half" + (char)0xD800 + ".txt").ShouldBe("half\uFFFD.txt");

    [Fact]
    public void Long_name_keeps_its_end_and_no_half_character()
    {
        var clean = UploadPath.Clean(string.Concat(Enumerable.Repeat("😀", 2_000)) + "/report.pdf");
        System.Text.Encoding.UTF8.GetByteCount(clean).ShouldBeInRange(UploadPath.MaxBytes - 3, UploadPath.MaxBytes);
        clean.ShouldEndWith("😀/report.pdf");
        clean.ShouldStartWith("😀");
    }

    [Fact]
    public async Task Empty_file_is_complete_at_once()
    {
        var upload = await Store().CreateAsync(Actor, new("empty.txt", 0), default);
        var stored = await Store().FindAsync("default", upload.PublicId, default);
        stored!.CompletedAt.ShouldNotBeNull();
        stored.Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData([])));
    }

    [Fact]
    public async Task What_is_too_large_is_refused_when_announced_and_leaves_nothing()
    {
        (await Should.ThrowAsync<IngestionException>(() => Store().CreateAsync(Actor, new("big.iso", 5L << 30), default))).Code.ShouldBe(ErrorCodes.TooLarge);
        await using var db = new Contexts(_database).Worker();
        db.Uploads.ShouldBeEmpty();
    }

    [Fact]
    public async Task More_than_was_announced_is_refused_and_the_upload_stays_unfinished()
    {
        var store = Store();
        var upload = await store.CreateAsync(Actor, new("a.bin", 100), default);
        (await Should.ThrowAsync<IngestionException>(() => store.WriteAsync("default", upload.PublicId, 0, new MemoryStream(new byte[101]), default))).Code.ShouldBe(ErrorCodes.TooLarge);
        (await store.FindAsync("default", upload.PublicId, default))!.CompletedAt.ShouldBeNull();
    }

    [Fact]
    public async Task Same_path_in_a_draft_goes_on_while_unfinished_and_is_replaced_when_finished()
    {
        var store = Store();
        var draft = await DraftAsync();
        var first = await store.CreateAsync(Actor, new("a.txt", 4, draft.BatchId), default);
        await store.WriteAsync("default", first.PublicId, 0, new MemoryStream(new byte[2]), default);
        (await store.CreateAsync(Actor, new("a.txt", 4, draft.BatchId), default)).PublicId.ShouldBe(first.PublicId);

        await store.WriteAsync("default", first.PublicId, 2, new MemoryStream(new byte[2]), default);
        (await store.CreateAsync(Actor, new("a.txt", 4, draft.BatchId), default)).PublicId.ShouldNotBe(first.PublicId);
        (await store.FindAsync("default", first.PublicId, default)).ShouldBeNull();
    }

    [Fact]
    public async Task Same_path_announced_by_many_at_once_is_one_upload()
    {
        var store = Store();
        var draft = await DraftAsync();
        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => store.CreateAsync(Actor, new("a.txt", 4, draft.BatchId), default))));
        made.Select(u => u.PublicId).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Discarded_draft_takes_no_more()
    {
        var draft = await DraftAsync();
        await new Drafts(_database.Worker).DiscardAsync(Actor, draft.BatchId, default);
        await Should.ThrowAsync<DraftGoneException>(() => Store().CreateAsync(Actor, new("a.txt", 4, draft.BatchId), default));
    }

    [Fact]
    public async Task Upload_removed_while_it_is_written_does_not_end_as_there()
    {
        var store = Store();
        var content = Bytes(200_000);
        var upload = await store.CreateAsync(Actor, new("a.bin", content.Length), default);
        var body = new Paused(content);
        var writing = store.WriteAsync("default", upload.PublicId, 0, body, default);
        await body.Reached;
        (await store.RemoveAsync(Actor, upload.PublicId, default)).ShouldBeTrue();
        body.Release();
        (await writing).ShouldBeNull();
    }

    [Fact]
    public async Task Other_tenant_finds_writes_and_removes_nothing()
    {
        var store = Store();
        var upload = await store.CreateAsync(Actor, new("a.txt", 3), default);
        (await store.FindAsync("other", upload.PublicId, default)).ShouldBeNull();
        (await store.WriteAsync("other", upload.PublicId, 0, new MemoryStream(new byte[3]), default)).ShouldBeNull();
        (await store.RemoveAsync(new("other", "x"), upload.PublicId, default)).ShouldBeFalse();
        (await store.FindAsync("default", upload.PublicId, default)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Only_the_unfinished_go_where_only_they_are_asked_for()
    {
        var store = Store();
        var draft = await DraftAsync();
        var whole = await store.CreateAsync(Actor, new("whole.txt", 1, draft.BatchId), default);
        await store.WriteAsync("default", whole.PublicId, 0, new MemoryStream([1]), default);
        var half = await store.CreateAsync(Actor, new("half.txt", 2, draft.BatchId), default);
        await store.WriteAsync("default", half.PublicId, 0, new MemoryStream([1]), default);

        (await store.RemoveAllAsync(Actor, draft.BatchId, UploadPurposes.File, onlyUnfinished: true, default)).ShouldBe(1);
        (await store.ListAsync("default", draft.BatchId, UploadPurposes.File, 0, 10, default)).Select(u => u.Path).ShouldBe(["whole.txt"]);
        Directory.GetFiles(_folder.Path).Select(Path.GetFileName).ShouldBe([whole.PublicId]);
    }

    private UploadStore Store() => new(new Contexts(_database), new UploadFiles(_folder.Path), new PipelineOptions(), Microsoft.Extensions.Options.Options.Create(new Ingestion.Core.Access.LimitOptions()), TimeProvider.System);

    private Task<Submitted> DraftAsync() => new Drafts(_database.Worker).CreateAsync(Actor, new("A draft"), default);

    private async Task ShouldBeWholeAsync(UploadStore store, string id, byte[] content)
    {
        var upload = (await store.FindAsync("default", id, default))!;
        upload.CompletedAt.ShouldNotBeNull();
        upload.Received.ShouldBe(content.Length);
        upload.Sha256.ShouldBe(Convert.ToHexStringLower(SHA256.HashData(content)));
        (await File.ReadAllBytesAsync(Path.Combine(_folder.Path, id))).AsSpan().SequenceEqual(content).ShouldBeTrue();
    }

    private static byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static MemoryStream Part(byte[] content, int from, int length = int.MaxValue) => new(content, from, Math.Min(length, content.Length - from));

    /// <summary>A body that breaks off after so many bytes.</summary>
    private sealed class Breaking(byte[] content, int after) : MemoryStream(content, 0, after)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            await base.ReadAsync(buffer, cancellationToken) is var n and > 0 ? n : throw new IOException("The connection broke.");
    }

    /// <summary>A body that stops after its first part until it is released.</summary>
    private sealed class Paused(byte[] content) : MemoryStream(content)
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task;

        public void Release() => _released.SetResult();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Position > 0)
            {
                _reached.TrySetResult();
                await _released.Task;
            }
            return await base.ReadAsync(buffer, cancellationToken);
        }
    }
}
