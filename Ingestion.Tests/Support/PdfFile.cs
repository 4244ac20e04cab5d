using System.Globalization;
using System.Text;

namespace Ingestion.Tests.Support;

/// <summary>Puts a PDF file together from its objects, with a right cross-reference table; the first object is the catalog.</summary>
internal static class PdfFile
{
    /// <param name="trailer">Further entries of the trailer.</param>
    public static byte[] Write(IReadOnlyList<byte[]> objects, string trailer = "")
    {
        using var file = new MemoryStream();
        file.Write("%PDF-1.4\n"u8);
        var offsets = new List<long>();
        for (var i = 0; i < objects.Count; i++)
        {
            offsets.Add(file.Length);
            file.Write(Latin1($"{i + 1} 0 obj\n"));
            file.Write(objects[i]);
            file.Write("\nendobj\n"u8);
        }
        var start = file.Length;
        file.Write(Latin1($"xref\n0 {objects.Count + 1}\n0000000000 65535 f \n"));
        foreach (var offset in offsets) file.Write(Latin1($"{offset:0000000000} 00000 n \n"));
        file.Write(Latin1($"trailer\n<< /Size {objects.Count + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n"));
        return file.ToArray();
    }

    /// <summary>One page with nothing on it.</summary>
    /// <param name="width">In points, as the height.</param>
    public static byte[] BlankPage(int width = 595, int height = 842) => Write(
    [
        "<< /Type /Catalog /Pages 2 0 R >>"u8.ToArray(), "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"u8.ToArray(), Latin1($"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] >>"),
    ]);

    private static byte[] Latin1(FormattableString text) => Encoding.Latin1.GetBytes(text.ToString(CultureInfo.InvariantCulture));
}
