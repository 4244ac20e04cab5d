using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Unicode;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>Finds out how a text is encoded and opens it for reading, without asking its stream to go back.</summary>
internal static class ManifestText
{
    private const int SampleSize = 64 * 1024;

    private static readonly Encoding Windows1252 = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;

    // Plain English for its first pages and one accent further on: such a file is windows-1252 although its sample is valid UTF-8.
    private static readonly Encoding Utf8 = Encoding.GetEncoding("utf-8", EncoderFallback.ReplacementFallback, new SingleByteFallback(Windows1252));

    /// <summary>Opens a text; the stream stays open when the reader is disposed. Throws <c>invalid_manifest</c> for what is no text.</summary>
    public static async Task<(TextReader Reader, string Encoding, string FirstLine)> OpenAsync(Stream stream, CancellationToken ct)
    {
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: SampleSize, leaveOpen: true));
        var start = await pipe.ReadAtLeastAsync(SampleSize, ct);
        var sample = start.Buffer.Slice(0, Math.Min(SampleSize, start.Buffer.Length)).ToArray();
        pipe.AdvanceTo(start.Buffer.Start);

        var (encoding, name) = Detect(sample);
        var reader = new StreamReader(pipe.AsStream(), encoding, detectEncodingFromByteOrderMarks: true, SampleSize);
        return (reader, name, FirstLineOf(encoding.GetString(sample)));
    }

    private static string FirstLineOf(string text)
    {
        var start = text.AsSpan().TrimStart("\uFEFF\r\n");
        var end = start.IndexOfAny('\r', '\n');
        return (end < 0 ? start : start[..end]).ToString();
    }

    private static (Encoding, string) Detect(ReadOnlySpan<byte> sample)
    {
        if (sample.StartsWith<byte>([0xFF, 0xFE, 0, 0]))
            return (Encoding.UTF32, "utf-32");
        if (sample.StartsWith<byte>([0, 0, 0xFE, 0xFF]))
            return (new UTF32Encoding(bigEndian: true, byteOrderMark: true), "utf-32be");
        if (sample.StartsWith<byte>([0xFF, 0xFE]))
            return (Encoding.Unicode, "utf-16");
        if (sample.StartsWith<byte>([0xFE, 0xFF]))
            return (Encoding.BigEndianUnicode, "utf-16be");

        if (sample.Contains((byte)0))
            return DetectUtf16(sample);
        return IsUtf8(sample) ? (Utf8, "utf-8") : (Windows1252, "windows-1252");
    }

    /// <summary>Without a mark: western text in UTF-16 has a zero in every other byte. Anything else with zeros is no text.</summary>
    private static (Encoding, string) DetectUtf16(ReadOnlySpan<byte> sample)
    {
        int even = 0, odd = 0;
        for (var i = 0; i < sample.Length; i++)
        {
            if (sample[i] == 0 && i % 2 == 0)
                even++;
            else if (sample[i] == 0)
                odd++;
        }
        var most = sample.Length / 2 * 0.7;
        if (odd >= most && even == 0)
            return (Encoding.Unicode, "utf-16");
        if (even >= most && odd == 0)
            return (Encoding.BigEndianUnicode, "utf-16be");
        throw new IngestionException(ErrorCodes.InvalidManifest, "The file is not a text: it holds binary data.");
    }

    private static bool IsUtf8(ReadOnlySpan<byte> sample)
    {
        if (Utf8Validity(sample))
            return true;
        // The sample may end within a character of up to four bytes.
        for (var cut = 1; cut <= 3 && sample.Length == SampleSize; cut++)
        {
            if (Utf8Validity(sample[..^cut]))
                return true;
        }
        return false;
    }

    private static bool Utf8Validity(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes);

    /// <summary>Decodes bytes that are no UTF-8 by a single-byte encoding instead.</summary>
    private sealed class SingleByteFallback(Encoding encoding) : DecoderFallback
    {
        public override int MaxCharCount => 4;

        public override DecoderFallbackBuffer CreateFallbackBuffer() => new Buffer(encoding);

        private sealed class Buffer(Encoding encoding) : DecoderFallbackBuffer
        {
            private string _text = "";
            private int _next;

            public override int Remaining => _text.Length - _next;

            public override bool Fallback(byte[] bytesUnknown, int index)
            {
                _text = encoding.GetString(bytesUnknown);
                _next = 0;
                return true;
            }

            public override char GetNextChar() => _next < _text.Length ? _text[_next++] : '\0';

            public override bool MovePrevious()
            {
                if (_next == 0)
                    return false;
                _next--;
                return true;
            }

            public override void Reset()
            {
                _text = "";
                _next = 0;
            }
        }
    }
}
