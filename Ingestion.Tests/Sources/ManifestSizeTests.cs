using System.Text;
using Ingestion.Core.Sources;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Sources;

public sealed class ManifestSizeTests
{
    private const int Million = 1_000_000;

    [Fact]
    public async Task Million_rows_take_the_memory_of_a_few()
    {
        await using var manifest = new EndlessManifest(Million);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var held = new List<long>();
        var rows = 0;

        await foreach (var row in ManifestReader.ReadAsync(manifest))
        {
            if (++rows % 100_000 == 0)
                held.Add(GC.GetTotalMemory(forceFullCollection: true) - before);
            row.RowNumber.ShouldBe(rows);
        }

        rows.ShouldBe(Million);
        // Rows that are kept stay kept; what tests beside this one hold comes and goes.
        held.TakeLast(5).Min().ShouldBeLessThan(20_000_000);
    }

    [Fact]
    public async Task Rows_of_a_large_file_are_counted_and_estimated()
    {
        var path = Path.GetTempFileName();
        try
        {
            await using (var file = File.Create(path))
            await using (var manifest = new EndlessManifest(200_000))
                await manifest.CopyToAsync(file);
            await using var stream = File.OpenRead(path);

            var preview = await ManifestReader.PreviewAsync(stream, CancellationToken.None);
            stream.Position = 0;
            var count = await ManifestReader.CountRowsAsync(stream, CancellationToken.None);

            count.Rows.ShouldBe(200_000);
            preview.Rows.Count.ShouldBe(10);
            preview.EstimatedRows!.Value.ShouldBeInRange(180_000, 220_000);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>A manifest that is made while it is read.</summary>
    private sealed class EndlessManifest(int rows) : Stream
    {
        private byte[] _line = "Krithi,Raga,Hyperlink\r\n"u8.ToArray();
        private int _offset;
        private int _row;

        public override int Read(Span<byte> buffer)
        {
            var written = 0;
            while (written < buffer.Length)
            {
                if (_offset == _line.Length)
                {
                    if (_row == rows)
                        break;
                    _line = Encoding.ASCII.GetBytes($"\"title, {++_row:D7}\",kalyANi,http://a.example/{_row:D7}.html\r\n");
                    _offset = 0;
                }
                var count = Math.Min(buffer.Length - written, _line.Length - _offset);
                _line.AsSpan(_offset, count).CopyTo(buffer[written..]);
                written += count;
                _offset += count;
            }
            return written;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));
        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
