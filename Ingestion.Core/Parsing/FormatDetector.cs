using System.Text;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Parsing;

/// <summary>
/// Tells what a file is: by its content first, then by its declared media type, then by its extension. Knows more formats than
/// there are parsers for, so that a refusal can name what the file looks like.
/// </summary>
public static class FormatDetector
{
    private const int Head = 1 << 16;
    private const int ZipTail = 1 << 20;
    private static readonly byte[] OleMagic = [0xD0, 0xCF, 0x11, 0xE0];

    private static readonly (byte[] Magic, string Looks)[] Refused =
    [
        ([0x89, (byte)'P', (byte)'N', (byte)'G'], "a PNG image"), ([0xFF, 0xD8, 0xFF], "a JPEG image"), ("GIF8"u8.ToArray(), "a GIF image"),
        ("II*\0"u8.ToArray(), "a TIFF image"), ("MM\0*"u8.ToArray(), "a TIFF image"), ("RIFF"u8.ToArray(), "a media file"),
        ([0x1F, 0x8B], "a gzip archive"), ("BZh"u8.ToArray(), "a bzip2 archive"), ([0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z'], "an xz archive"),
        ([(byte)'7', (byte)'z', 0xBC, 0xAF], "a 7-Zip archive"), ("Rar!"u8.ToArray(), "a RAR archive"), ([0x7F, (byte)'E', (byte)'L', (byte)'F'], "a program"),
        ("{\\rtf"u8.ToArray(), "an RTF document"), ("ID3"u8.ToArray(), "an audio file"), ("OggS"u8.ToArray(), "a media file"),
        ("SQLite format 3"u8.ToArray(), "a database"), ("%!PS"u8.ToArray(), "a PostScript file"),
    ];

    private static readonly byte[] ContentTypes = "[Content_Types].xml"u8.ToArray();

    private static readonly (byte[] Name, string Format)[] ZipNames =
    [
        ("word/"u8.ToArray(), "docx"), ("xl/"u8.ToArray(), "xlsx"), ("ppt/"u8.ToArray(), "pptx"),
        ("META-INF/container.xml"u8.ToArray(), "epub"), ("mimetypeapplication/vnd.oasis"u8.ToArray(), "odt"),
    ];

    /// <summary>Formats named by extension or media type that this knows of beyond the registered ones.</summary>
    private static readonly Dictionary<string, string> OtherHints = new(StringComparer.OrdinalIgnoreCase)
    {
        [".json"] = "json", [".jsonl"] = "json", ["application/json"] = "json", [".eml"] = "eml", ["message/rfc822"] = "eml",
        [".xlsx"] = "xlsx", [".pptx"] = "pptx", [".zip"] = "zip", ["application/zip"] = "zip", [".xml"] = "xml", ["application/xml"] = "xml", ["text/xml"] = "xml",
        ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"] = "xlsx",
        ["application/vnd.openxmlformats-officedocument.presentationml.presentation"] = "pptx",
    };

    /// <summary>
    /// The format's short name; a parser may or may not exist for it. Throws <c>empty</c>, <c>encrypted</c>, <c>corrupt</c>, <c>missing_file</c>,
    /// or <c>unsupported</c> with what the content looks like.
    /// </summary>
    public static async Task<string> DetectAsync(RawDocument raw, CancellationToken ct)
    {
        if (!File.Exists(raw.Path)) throw new IngestionException(ErrorCodes.MissingFile, $"The stored file of “{raw.Name}” is missing.");
        await using var file = File.OpenRead(raw.Path);
        if (file.Length == 0) throw new IngestionException(ErrorCodes.Empty, "The file is empty: it has zero bytes.");
        var buffer = new byte[Head];
        var head = buffer.AsMemory(0, await file.ReadAtLeastAsync(buffer, Head, throwOnEndOfStream: false, ct));
        var hinted = Hint(raw);

        if (head.Span.StartsWith("PK\u0003\u0004"u8) || head.Span.StartsWith("PK\u0005\u0006"u8)) return await ZipAsync(file, head, hinted, ct);
        if (head.Span.StartsWith(OleMagic)) throw await OleAsync(file, ct);
        if (IsPdf(head.Span)) return "pdf";
        foreach (var (magic, looks) in Refused)
            if (head.Span.StartsWith(magic)) throw Unsupported(looks);

        var (encoding, skip) = Charsets.Detect(head.Span, raw.Charset);
        if (encoding.CodePage is not (1200 or 1201 or 12000 or 12001) && Charsets.LooksBinary(head.Span))
            return hinted is "docx" or "pdf" or "xlsx" or "pptx" or "zip"
                ? throw new IngestionException(ErrorCodes.Corrupt, $"The file is damaged: it is named like a {hinted} file, but its content is not one.")
                : throw Unsupported("binary data");
        return Text(encoding.GetString(head.Span[skip..]), hinted);
    }

    private static string Text(string head, string? hinted)
    {
        var text = head.AsSpan().TrimStart("\uFEFF \t\r\n");
        if (text.StartsWith("<?xml")) return Has(text[..Math.Min(text.Length, 2000)], "<html") ? "html" : "xml";
        if (Starts(text, "<!doctype html") || Starts(text, "<html")) return "html";
        // A page that opens with fragments of markup, saved without a name that tells.
        var markup = text.StartsWith("<") && (Has(text, "<body") || Has(text, "<head") || Has(text, "</p>") || Has(text, "</div>"));
        return hinted switch
        {
            null => markup ? "html" : "txt",
            "txt" when markup && (Has(text, "<html") || Has(text, "<body")) => "html",
            "docx" or "pdf" or "xlsx" or "pptx" or "zip" =>
                throw new IngestionException(ErrorCodes.Corrupt, $"The file is damaged: it is named like a {hinted} file, but its content is plain text."),
            _ => hinted,
        };

        static bool Starts(ReadOnlySpan<char> s, string what) => s.StartsWith(what, StringComparison.OrdinalIgnoreCase);
        static bool Has(ReadOnlySpan<char> s, string what) => s.Contains(what, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>What media type and extension say. A media type that servers send for want of a better one gives way to the extension.</summary>
    private static string? Hint(RawDocument raw)
    {
        var media = raw.MediaType?.Split(';')[0].Trim().ToLowerInvariant();
        var extension = Path.GetExtension(raw.Name).ToLowerInvariant();
        var byMedia = ParserRegistry.All.FirstOrDefault(e => e.MediaTypes.Contains(media))?.Format ?? OtherHints.GetValueOrDefault(media ?? "");
        var byExtension = ParserRegistry.All.FirstOrDefault(e => e.Extensions.Contains(extension))?.Format ?? OtherHints.GetValueOrDefault(extension);
        return byMedia is null or "txt" or "xml" or "zip" ? byExtension ?? byMedia : byMedia;
    }

    private static bool IsPdf(ReadOnlySpan<byte> head)
    {
        var at = head[..Math.Min(head.Length, 1024)].IndexOf("%PDF-"u8);
        return at == 0 || at > 0 && head[..at].IndexOf((byte)'<') < 0;
    }

    /// <summary>
    /// What a zip container holds, told by the names in its first and last stretch. Opening it here would load its whole directory,
    /// and how long that is the file decides.
    /// </summary>
    private static async Task<string> ZipAsync(FileStream file, ReadOnlyMemory<byte> head, string? hinted, CancellationToken ct)
    {
        var tail = new byte[(int)Math.Min(file.Length, ZipTail)];
        file.Position = file.Length - tail.Length;
        await file.ReadExactlyAsync(tail, ct);
        if (tail.AsSpan().LastIndexOf("PK\u0005\u0006"u8) < 0)
            throw new IngestionException(ErrorCodes.Corrupt, $"The {hinted ?? "zip"} file is damaged or truncated: its directory is missing.");
        var isOffice = HoldsName(head.Span, ContentTypes) || HoldsName(tail, ContentTypes);
        foreach (var (name, format) in ZipNames)
            if ((isOffice || format is "epub" or "odt") && (HoldsName(head.Span, name) || HoldsName(tail, name))) return format;
        return hinted is "docx" or "xlsx" or "pptx" ? hinted : "zip";
    }

    /// <summary>True where an entry's name begins so: what stands before it in a zip header is no letter.</summary>
    private static bool HoldsName(ReadOnlySpan<byte> bytes, byte[] name)
    {
        for (int at; (at = bytes.IndexOf(name)) >= 0; bytes = bytes[(at + name.Length)..])
            if (at > 0 && !char.IsAsciiLetterOrDigit((char)bytes[at - 1]) && bytes[at - 1] is not ((byte)'/' or (byte)'-' or (byte)'_')) return true;
        return false;
    }

    /// <summary>Office wraps an encrypted document into an OLE container with a stream of a telling name; anything else there is pre-2007 Office.</summary>
    private static async Task<IngestionException> OleAsync(Stream file, CancellationToken ct)
    {
        var name = Encoding.Unicode.GetBytes("EncryptedPackage");
        var buffer = new byte[Head];
        var kept = 0;
        file.Position = 0;
        for (int read; (read = await file.ReadAsync(buffer.AsMemory(kept), ct)) > 0;)
        {
            var filled = buffer.AsSpan(0, kept + read);
            if (filled.IndexOf(name) >= 0) return new IngestionException(ErrorCodes.Encrypted, "The file is encrypted with a password.");
            kept = Math.Min(name.Length, filled.Length);
            filled[^kept..].CopyTo(buffer);
        }
        return Unsupported("a document of Office 97–2003");
    }

    private static IngestionException Unsupported(string looks) =>
        new(ErrorCodes.Unsupported, $"The format is unsupported: the content looks like {looks}.");
}
