using System.Buffers.Binary;
using System.Text;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;
using static Ingestion.Tests.Sources.SourceMaking;
using static Ingestion.Tests.Sources.ZipSamples;

namespace Ingestion.Tests.Sources;

public sealed class ZipConnectorTests
{
    // Beside the source tree, where somebody put them.
    private static readonly string? Samples = new[] { "..", "../.." }.Select(up => Path.GetFullPath(Path.Combine(Repository.Root, up, "shared", "corpus", "zip"))).FirstOrDefault(Directory.Exists);

    [Fact]
    public async Task Files_of_an_archive_and_of_archives_inside_become_documents()
    {
        using var files = new TemporaryDirectory();
        var inner = Zip(("three.txt", "The third text."), ("deeper.zip", Zip(("four.txt", "The fourth text."))));
        await using var host = await StartAsync(files, Zip(("one.txt", "The first text."), ("dir/", ""), ("dir/two.md", "# Two"), ("inner.zip", inner)));
        var batch = await host.SubmitAsync(Taking("local_zip", "zip"));
        (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Completed);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string>
        {
            ["one.txt"] = "done", ["dir/two.md"] = "done", ["inner.zip/three.txt"] = "done", ["inner.zip/deeper.zip/four.txt"] = "done",
        }, ignoreOrder: true);
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Names_are_text_and_nothing_is_written_under_them()
    {
        using var files = new TemporaryDirectory();
        string[] names =
        [
            "../../x.txt", @"..\..\x2.txt", "/etc/x.txt", @"C:\x.txt", @"\\srv\x.txt", "a/../../x3.txt", new string('n', 300) + ".txt", "CON.txt", "trailing. .txt", "rtl\u202Etxt.exe.txt",
            "case.txt", "CASE.txt", "caf\u00e9.txt", "cafe\u0301.txt", "nul\0l.txt",
        ];
        await using var host = await StartAsync(files, Zip([.. names.Select(n => (n, (object)$"The text of {names.ToList().IndexOf(n)}."))]));
        var batch = await host.SubmitAsync(Taking("local_zip", "zip"));
        await host.EndedAsync(batch);
        var ends = await host.EndsAsync(batch);
        ends.Count.ShouldBe(names.Length);
        foreach (var (name, end) in ends) Console.WriteLine($"zip name: {name.Replace("\u202E", "\\u202E", StringComparison.Ordinal)} → {end}");
        ends.Values.ShouldAllBe(e => e == "done");
        Directory.GetFiles(files.Path).ShouldHaveSingleItem();
        Directory.EnumerateFileSystemEntries(Path.Combine(host.Data, "work")).ShouldBeEmpty();
        File.Exists("/etc/x.txt").ShouldBeFalse();
    }

    [Fact]
    public async Task Same_name_twice_is_two_documents_and_links_are_skipped()
    {
        using var files = new TemporaryDirectory();
        await using var host = await StartAsync(files, Zip(("twice.txt", "The first of them."), ("twice.txt", "The second of them."), ("link.txt", new Link("/etc/passwd")), ("empty.txt", "")));
        var batch = await host.SubmitAsync(Taking("local_zip", "zip"));
        await host.EndedAsync(batch);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string> { ["twice.txt"] = "done", ["twice.txt#1"] = "done", ["link.txt"] = "skipped", ["empty.txt"] = "empty" }, ignoreOrder: true);
        (await host.ItemsAsync(batch)).Single(i => i.SourceKey == "link.txt").ErrorMessage.ShouldBeNull();
        await host.VerifiedAsync();
    }

    [Fact]
    public async Task Bombs_lies_and_locks_end_in_their_own_code()
    {
        using var files = new TemporaryDirectory();
        var bomb = Zip(("bomb.txt", new string('x', 30 << 20)), ("fine.txt", "A plain text."));
        await using var host = await StartAsync(files, bomb);
        var batch = await host.SubmitAsync(Taking("local_zip", "zip"));
        await host.EndedAsync(batch);
        (await host.EndsAsync(batch)).ShouldBe(new Dictionary<string, string> { ["bomb.txt"] = "limit_exceeded", ["fine.txt"] = "done" }, ignoreOrder: true);

        foreach (var (name, archive, code) in new (string, byte[], string)[]
        {
            ("encrypted", Patch(Zip(("a.txt", "The text.")), flags: 1), "encrypted"),
            ("packed by bzip2", Patch(Zip(("a.txt", "The text.")), method: 12), "unsupported"),
            ("packed by zstd", Patch(Zip(("a.txt", "The text.")), method: 93), "unsupported"),
            ("wrong checksum", Patch(Zip(("a.txt", "The text.")), crc: 7), "corrupt"),
            ("longer than declared", Patch(Zip(("a.txt", "The text that is longer than it says.")), size: 4), "corrupt"),
            ("declared as 4 GB", Patch(Zip(("a.txt", "The text.")), size: 0xfffffffe), "too_large"),
        })
        {
            File.WriteAllBytes(Path.Combine(files.Path, "a.zip"), archive);
            var one = await host.SubmitAsync(Taking("local_zip", "zip", ["a.txt"]));
            await host.EndedAsync(one);
            var end = (await host.EndsAsync(one))["a.txt"];
            Console.WriteLine($"zip: {name} → {end}");
            end.ShouldBe(code, name);
        }
    }

    [Fact]
    public async Task Archives_that_cannot_be_listed_fail_their_input()
    {
        using var files = new TemporaryDirectory();
        await using var host = await StartAsync(files, [], ("Ingestion:Sources:ZipMaxEntries", "1000"), ("Ingestion:Pipeline:Retry:InitialDelay", "00:00:00.010"));
        foreach (var (name, archive, code) in new (string, byte[], string)[]
        {
            ("empty file", [], "corrupt"),
            ("no archive", Encoding.UTF8.GetBytes(new string('n', 5000)), "corrupt"),
            ("cut off", Zip(("a.txt", "The text."))[..40], "corrupt"),
            ("too many entries", Zip([.. Enumerable.Range(0, 1001).Select(i => ($"{i}.txt", (object)"x"))]), "limit_exceeded"),
            ("entries that overlap", Patch(Zip(("a.txt", "The text.")), compressed: 50_000), "corrupt"),
        })
        {
            File.WriteAllBytes(Path.Combine(files.Path, "a.zip"), archive);
            var batch = await host.SubmitAsync(Taking("local_zip", "zip"));
            (await host.EndedAsync(batch)).State.ShouldBe(BatchState.Failed, name);
            var end = (await host.QueryAsync<string>("SELECT error_code FROM ingestion.import_input WHERE batch_id = $1", batch.BatchId)).Single();
            Console.WriteLine($"zip: {name} → {end}");
            end.ShouldBe(code, name);
        }
    }

    [SkippableSamplesFact]
    public async Task Hostile_archives_of_others_end_in_words()
    {
        using var files = new TemporaryDirectory();
        await using var host = await StartAsync(files, [], ("Ingestion:Pipeline:Retry:InitialDelay", "00:00:00.010"));
        foreach (var sample in Directory.GetFiles(Samples!, "*.zip").Order(StringComparer.Ordinal))
        {
            File.Copy(sample, Path.Combine(files.Path, "a.zip"), overwrite: true);
            var batch = await host.SubmitAsync(Taking("local_zip", "zip"));
            var view = await host.EndedAsync(batch, TimeSpan.FromMinutes(2));
            var ends = await host.EndsAsync(batch);
            var input = (await host.QueryAsync<string>("SELECT coalesce(error_code, state) FROM ingestion.import_input WHERE batch_id = $1", batch.BatchId)).Single();
            Console.WriteLine($"zip sample {Path.GetFileName(sample)}: input {input}, {string.Join(", ", ends.GroupBy(e => e.Value).Select(g => $"{g.Count()} {g.Key}"))}");
            ends.Values.ShouldAllBe(e => e != "internal" && e != "crashed_worker", Path.GetFileName(sample));
            input.ShouldNotBe("internal", Path.GetFileName(sample));
        }
        Directory.EnumerateFileSystemEntries(Path.Combine(host.Data, "work")).ShouldBeEmpty();
    }

    private static async Task<PipelineHost> StartAsync(TemporaryDirectory files, byte[] archive, params (string, string)[] settings)
    {
        File.WriteAllBytes(Path.Combine(files.Path, "a.zip"), archive);
        var host = await PipelineHost.StartAsync([("Ingestion:Sources:Roots:0", files.Path), .. settings]);
        await host.ConnectAsync("local_zip", "zip", new { path = Path.Combine(files.Path, "a.zip") });
        return host;
    }

    // Changes what the first entry's records say, in the directory and before the entry itself.
    private static byte[] Patch(byte[] zip, ushort? flags = null, ushort? method = null, uint? crc = null, uint? size = null, uint? compressed = null)
    {
        foreach (var (signature, start) in new[] { (0x04034b50u, 6), (0x02014b50u, 8) })
            for (var at = 0; at < zip.Length - 30; at++)
                if (BinaryPrimitives.ReadUInt32LittleEndian(zip.AsSpan(at)) == signature)
                {
                    var fields = zip.AsSpan(at + start);
                    if (flags is { } f) BinaryPrimitives.WriteUInt16LittleEndian(fields, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(fields) | f));
                    if (method is { } m) BinaryPrimitives.WriteUInt16LittleEndian(fields[2..], m);
                    if (crc is { } c) BinaryPrimitives.WriteUInt32LittleEndian(fields[8..], c);
                    if (compressed is { } p) BinaryPrimitives.WriteUInt32LittleEndian(fields[12..], p);
                    if (size is { } s) BinaryPrimitives.WriteUInt32LittleEndian(fields[16..], s);
                }
        return zip;
    }

    /// <summary>Runs where the samples are on this machine.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class SkippableSamplesFactAttribute : FactAttribute
    {
        public SkippableSamplesFactAttribute()
        {
            if (Samples is null) Skip = "There are no sample archives beside the source tree.";
        }
    }
}
