using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Ingestion.Tests.Support;

/// <summary>Small PDF files that are a great deal of work.</summary>
internal static class PdfBombs
{
    /// <summary>One page whose content is many words laid over each other, each in a place of its own: what reads it keeps them all.</summary>
    public static byte[] Operators(int count)
    {
        using var content = new MemoryStream();
        using (var deflate = new ZLibStream(content, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflate.Write("BT /F1 12 Tf\n"u8);
            for (var i = 0; i < count; i++) deflate.Write(Latin1($"1 0 0 1 {10 + i % 590}.{i % 7} {10 + i / 590 % 770}.{i % 11} Tm (w{i}) Tj\n"));
            deflate.Write("ET"u8);
        }
        return PdfFile.Write(
        [
            "<< /Type /Catalog /Pages 2 0 R >>"u8.ToArray(),
            "<< /Type /Pages /Kids [4 0 R] /Count 1 >>"u8.ToArray(),
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"u8.ToArray(),
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents 5 0 R >>"u8.ToArray(),
            [.. Latin1($"<< /Filter /FlateDecode /Length {content.Length} >>\nstream\n"), .. content.ToArray(), .. "\nendstream"u8],
        ]);
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
        return PdfFile.Write(objects);
    }

    private static byte[] Latin1(FormattableString text) => Encoding.Latin1.GetBytes(text.ToString(CultureInfo.InvariantCulture));

    private static byte[] Latin1(string text) => Encoding.Latin1.GetBytes(text);
}
