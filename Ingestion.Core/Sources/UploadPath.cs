using System.Text;

namespace Ingestion.Core.Sources;

/// <summary>The path a client gives with a file: text for people and a key among uploads. It never names anything on our disk.</summary>
public static class UploadPath
{
    /// <summary>Longest path that is kept, in bytes of UTF-8: it is part of an index, whose entries are bounded.</summary>
    public const int MaxBytes = 1500;

    /// <summary>Slashes forward, controls made visible, composed (NFC), bounded from the left so that the file's own name stays.</summary>
    public static string Clean(string path)
    {
        var clean = new StringBuilder(path.Length);
        foreach (var rune in path.Replace('\\', '/').EnumerateRunes())
            clean.Append(Rune.IsControl(rune) ? "\uFFFD" : rune.ToString());
        var text = Bounded(clean.ToString().Trim().TrimStart('/').Normalize());
        return text.Length == 0 ? "unnamed" : text;
    }

    private static string Bounded(string text)
    {
        var bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes <= MaxBytes) return text;
        var from = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (bytes <= MaxBytes) break;
            bytes -= rune.Utf8SequenceLength;
            from += rune.Utf16SequenceLength;
        }
        return text[from..];
    }
}
