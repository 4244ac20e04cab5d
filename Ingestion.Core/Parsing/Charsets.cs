using System.Text;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>
/// Decodes text of unknown character set: byte order mark, UTF-8 where it is valid, UTF-16 by its zero bytes, what was declared,
/// the common multi-byte sets by their statistics, else windows-1252. Refuses what is not text.
/// </summary>
internal static class Charsets
{
    private const int Sample = 1 << 16;

    static Charsets() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    /// <summary>Reads a whole file as text. Throws <c>unsupported</c> for binary content and <c>limit_exceeded</c> for too much of it.</summary>
    public static async Task<string> ReadAsync(RawDocument raw, ParseLimits limits, CancellationToken ct)
    {
        ParserGuards.RequireReadable(raw, limits);
        var text = Decode(await File.ReadAllBytesAsync(raw.Path, ct), raw.Charset);
        return text.Length <= limits.MaxCharacters ? text
            : throw new IngestionException(ErrorCodes.LimitExceeded, $"The document's text exceeds the limit of {limits.MaxCharacters:N0} characters.");
    }

    /// <summary>The text of some bytes, byte order mark removed. Throws <c>unsupported</c> for binary content.</summary>
    public static string Decode(byte[] bytes, string? declared)
    {
        var (encoding, skip) = Detect(bytes, declared);
        if (encoding.CodePage is not (1200 or 1201 or 12000 or 12001) && LooksBinary(bytes.AsSpan(0, Math.Min(bytes.Length, Sample))))
            throw new IngestionException(ErrorCodes.Unsupported, "The content is unsupported: it is binary data, not text.");
        return encoding.GetString(bytes, skip, bytes.Length - skip);
    }

    /// <summary>True where control characters are far more frequent than any text has them.</summary>
    public static bool LooksBinary(ReadOnlySpan<byte> sample)
    {
        int controls = 0, zeros = 0;
        foreach (var b in sample)
            if (b == 0) zeros++;
            else if (b < 32 && b is not (9 or 10 or 12 or 13 or 27 or 8)) controls++;
        return controls * 50 > sample.Length || zeros * 3 > sample.Length;
    }

    /// <summary>The encoding of some bytes and the length of their byte order mark.</summary>
    public static (Encoding Encoding, int Skip) Detect(ReadOnlySpan<byte> bytes, string? declared)
    {
        if (bytes is [0xEF, 0xBB, 0xBF, ..]) return (Encoding.UTF8, 3);
        if (bytes is [0xFF, 0xFE, 0, 0, ..]) return (Encoding.UTF32, 4);
        if (bytes is [0, 0, 0xFE, 0xFF, ..]) return (Encoding.GetEncoding("utf-32BE"), 4);
        if (bytes is [0xFF, 0xFE, ..]) return (Encoding.Unicode, 2);
        if (bytes is [0xFE, 0xFF, ..]) return (Encoding.BigEndianUnicode, 2);
        if (Utf16ByZeros(bytes) is { } utf16) return (utf16, 0);
        if (System.Text.Unicode.Utf8.IsValid(bytes)) return (bytes.Contains((byte)0x1b) && Named(declared) is { CodePage: 50220 or 50221 or 50222 } jis ? jis : Encoding.UTF8, 0);
        if (Named(declared) is { } named && named.CodePage != Encoding.UTF8.CodePage && IsValid(named, bytes)) return (named, 0);
        return (ByStatistics(bytes[..Math.Min(bytes.Length, Sample)]) ?? Encoding.GetEncoding(1252), 0);
    }

    private static Encoding? Utf16ByZeros(ReadOnlySpan<byte> bytes)
    {
        var sample = bytes[..(Math.Min(bytes.Length, 4096) & ~1)];
        if (sample.Length < 4 || bytes.Length % 2 != 0) return null;
        int even = 0, odd = 0;
        for (var i = 0; i < sample.Length; i += 2)
        {
            if (sample[i] == 0) even++;
            if (sample[i + 1] == 0) odd++;
        }
        var half = sample.Length / 2;
        if (odd * 10 > half * 6 && even * 20 < half) return Encoding.Unicode;
        return even * 10 > half * 6 && odd * 20 < half ? Encoding.BigEndianUnicode : null;
    }

    /// <summary>The encoding of a declared name; null where it is absent or unknown.</summary>
    private static Encoding? Named(string? name)
    {
        name = name?.Trim().Trim('"', '\'').ToLowerInvariant();
        if (string.IsNullOrEmpty(name)) return null;
        // Browsers read these as windows-1252, and so do the people who declare them.
        if (name is "iso-8859-1" or "latin1" or "us-ascii" or "ascii") name = "windows-1252";
        return Encoding.GetEncodings().FirstOrDefault(e => e.Name.Equals(name, StringComparison.OrdinalIgnoreCase))?.GetEncoding()
            ?? CodePagesEncodingProvider.Instance.GetEncoding(name);
    }

    private static bool IsValid(Encoding encoding, ReadOnlySpan<byte> bytes)
    {
        var decoded = encoding.GetString(bytes[..Math.Min(bytes.Length, Sample)]);
        var wrong = decoded.AsSpan().Count('\uFFFD');
        return wrong <= 1 + decoded.Length / 1000;
    }

    /// <summary>
    /// Double-byte sets show as pairs of high bytes whose lead bytes lie in the rows of the frequent signs;
    /// Cyrillic shows as long runs of lower-case letters. Western text has its high bytes alone and stays undecided.
    /// </summary>
    private static Encoding? ByStatistics(ReadOnlySpan<byte> bytes)
    {
        int high = 0, lowerCyrillic = 0, runs = 0;
        int sjisKana = 0, sjisPairs = 0, eucKana = 0, commonHan = 0, hangul = 0, eucPairs = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] < 0x80) continue;
            high++;
            if (bytes[i] >= 0xE0) lowerCyrillic++;
            if (i + 1 < bytes.Length && bytes[i + 1] >= 0x80) runs++;
        }
        if (high < 4) return null;
        for (var i = 0; i + 1 < bytes.Length; i++)
        {
            byte lead = bytes[i], trail = bytes[i + 1];
            if (lead is (>= 0x81 and <= 0x9F) or (>= 0xE0 and <= 0xFC) && trail is >= 0x40 and <= 0xFC and not 0x7F)
            {
                sjisPairs++;
                if (lead is 0x82 or 0x83 or 0x81 || lead is >= 0x88 and <= 0x97) sjisKana++;
                i++;
            }
        }
        for (var i = 0; i + 1 < bytes.Length; i++)
        {
            byte lead = bytes[i], trail = bytes[i + 1];
            if (lead < 0xA1 || trail < 0xA1) continue;
            eucPairs++;
            if (lead is 0xA4 or 0xA5) eucKana++;
            if (lead is >= 0xB0 and <= 0xD7) commonHan++;
            if (lead is >= 0xB0 and <= 0xC8) hangul++;
            i++;
        }
        var paired = runs * 2 > high;
        if (eucPairs * 2 >= high * 0.95)
        {
            if (eucKana * 4 > eucPairs) return Encoding.GetEncoding("euc-jp");
            if (hangul * 10 > eucPairs * 9) return Encoding.GetEncoding("euc-kr");
            if (commonHan * 10 > eucPairs * 7) return Encoding.GetEncoding("gb18030");
        }
        if (sjisPairs * 2 >= high * 0.8 && sjisKana * 10 > sjisPairs * 7 && IsValid(Encoding.GetEncoding("shift_jis"), bytes)
            && sjisPairs * 10 > high * 4 && bytes.IndexOfAnyInRange((byte)0x81, (byte)0x9F) >= 0) return Encoding.GetEncoding("shift_jis");
        return paired && lowerCyrillic * 10 > high * 7 ? Encoding.GetEncoding(1251) : null;
    }
}
