using System.Globalization;
using System.Text;

namespace Ingestion.Tests.Parsing;

/// <summary>Small PDF files, written object by object with a right cross-reference table.</summary>
internal static class PdfSamples
{
    /// <summary>One page for each array of lines, in a standard font.</summary>
    public static byte[] Pages(params string[][] pages)
    {
        var objects = new List<string> { "<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>" };
        var kids = new StringBuilder();
        foreach (var page in pages)
        {
            var content = new StringBuilder("BT /F1 12 Tf 14 TL 72 760 Td\n");
            foreach (var line in page) content.Append('(').Append(line.Replace("\\", "\\\\").Replace("(", "\\(").Replace(")", "\\)")).Append(") Tj T*\n");
            content.Append("ET");
            kids.Append(CultureInfo.InvariantCulture, $"{objects.Count + 1} 0 R ");
            objects.Add($"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents {objects.Count + 2} 0 R >>");
            objects.Add($"<< /Length {content.Length} >>\nstream\n{content}\nendstream");
        }
        objects[1] = $"<< /Type /Pages /Kids [{kids}] /Count {pages.Length} >>";
        return Write(objects, "");
    }

    /// <summary>A file that says it is encrypted with a password that nobody gave.</summary>
    public static byte[] Encrypted()
    {
        var key = new string('A', 64);
        return Write(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>", $"<< /Filter /Standard /V 1 /R 2 /O <{key}> /U <{key}> /P -4 >>"],
            " /Encrypt 3 0 R /ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>]");
    }

    private static byte[] Write(IReadOnlyList<string> objects, string trailer)
    {
        var file = new StringBuilder("%PDF-1.4\n");
        var offsets = new List<int>();
        for (var i = 0; i < objects.Count; i++)
        {
            offsets.Add(file.Length);
            file.Append(CultureInfo.InvariantCulture, $"{i + 1} 0 obj\n{objects[i]}\nendobj\n");
        }
        var start = file.Length;
        file.Append(CultureInfo.InvariantCulture, $"xref\n0 {objects.Count + 1}\n0000000000 65535 f \n");
        foreach (var offset in offsets) file.Append(CultureInfo.InvariantCulture, $"{offset:0000000000} 00000 n \n");
        file.Append(CultureInfo.InvariantCulture, $"trailer\n<< /Size {objects.Count + 1} /Root 1 0 R{trailer} >>\nstartxref\n{start}\n%%EOF\n");
        return Encoding.Latin1.GetBytes(file.Replace('•', '\u0095').ToString());
    }
}
