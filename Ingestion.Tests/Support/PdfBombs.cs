using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Ingestion.Tests.Support;

/// <summary>Small PDF files that are a great deal of work.</summary>
internal static class PdfBombs
{
    /// <summary>One page whose content is a few kilobytes, and so many operators once it is inflated.</summary>
    public static byte[] Operators(int count)
    {
        var line = "(Nothing but one line, again and again.) Tj T*\n"u8.ToArray();
        using var content = new MemoryStream();
        using (var deflate = new ZLibStream(content, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflate.Write("BT /F1 12 Tf 14 TL 72 760 Td\n"u8);
            for (var i = 0; i < count; i++) deflate.Write(line);
            deflate.Write("ET"u8);
        }
        return Write(
            "<< /Type /Catalog /Pages 2 0 R >>"u8.ToArray(),
            "<< /Type /Pages /Kids [4 0 R] /Count 1 >>"u8.ToArray(),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"u8.ToArray(),
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents 5 0 R >>"u8.ToArray(),
            [.. Latin1($"<< /Filter /FlateDecode /Length {content.Length} >>\nstream\n"), .. content.ToArray(), .. "\nendstream"u8]);
    }

    /// <summary>A page tree that refers to the same branches ten times on each of <paramref name="depth"/> levels: ten to that power pages.</summary>
    public static byte[] Pages(int depth)
    {
        var objects = new List<byte[]> { Latin1("<< /Type /Catalog /Pages 2 0 R >>") };
        for (var level = 0; level < depth; level++)
        {
            var kids = string.Concat(Enumerable.Repeat($"{level + 3} 0 R ", 10));
            var parent = level == 0 ? "" : $"/Parent {level + 1} 0 R";
            objects.Add(Latin1($"<< /Type /Pages {parent} /Kids [{kids}] /Count {Math.Pow(10, depth - level):0} >>"));
        }
        objects.Add(Latin1($"<< /Type /Page /Parent {depth + 1} 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> /Contents {depth + 3} 0 R >>"));
        const string text = "BT /F1 12 Tf 72 720 Td (One page of very many.) Tj ET";
        objects.Add(Latin1($"<< /Length {text.Length} >>\nstream\n{text}\nendstream"));
        return Write([.. objects]);
    }

    private static byte[] Write(params byte[][] objects)
    {
        using var file = new MemoryStream();
        file.Write("%PDF-1.4\n"u8);
        var offsets = new List<long>();
        for (var i = 0; i < objects.Length; i++)
        {
            offsets.Add(file.Length);
            file.Write(Latin1($"{i + 1} 0 obj\n"));
            file.Write(objects[i]);
            file.Write("\nendobj\n"u8);
        }
        var start = file.Length;
        file.Write(Latin1($"xref\n0 {objects.Length + 1}\n0000000000 65535 f \n"));
        foreach (var offset in offsets) file.Write(Latin1($"{offset:0000000000} 00000 n \n"));
        file.Write(Latin1($"trailer\n<< /Size {objects.Length + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"));
        return file.ToArray();
    }

    private static byte[] Latin1(FormattableString text) => Encoding.Latin1.GetBytes(text.ToString(CultureInfo.InvariantCulture));

    private static byte[] Latin1(string text) => Encoding.Latin1.GetBytes(text);
}
