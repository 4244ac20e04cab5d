using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Ingestion.Tests.Support;

/// <summary>A PDF file of one page, really encrypted: the standard security handler, revision 2, RC4 with 40 bits.</summary>
internal static class EncryptedPdf
{
    private const int Permissions = -4;
    private static readonly byte[] Id = Convert.FromHexString("00112233445566778899AABBCCDDEEFF");
    private static readonly byte[] Padding = Convert.FromHexString("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A");

    /// <param name="user">Opens the file; empty where anybody may read it and only the owner may change it.</param>
    public static byte[] Page(string line, string user, string owner = "owner")
    {
        var lock_ = Rc4(MD5.HashData(Padded(owner)).AsSpan(0, 5), Padded(user));
        var key = MD5.HashData([.. Padded(user), .. lock_, .. BitConverter.GetBytes(Permissions), .. Id])[..5];
        var proof = Rc4(key, Padding);
        var content = Encrypt(key, 5, Encoding.Latin1.GetBytes($"BT /F1 12 Tf 72 720 Td ({line}) Tj ET"));
        return Write(
            [
                "<< /Type /Catalog /Pages 2 0 R >>",
                "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
                "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents 5 0 R >>",
                $"<< /Length {content.Length} >>\nstream\n{Encoding.Latin1.GetString(content)}\nendstream",
                $"<< /Filter /Standard /V 1 /R 2 /O <{Convert.ToHexString(lock_)}> /U <{Convert.ToHexString(proof)}> /P {Permissions} >>",
            ],
            $"/Encrypt 6 0 R /ID [<{Convert.ToHexString(Id)}> <{Convert.ToHexString(Id)}>]");
    }

    private static byte[] Encrypt(byte[] key, int number, byte[] content) =>
        Rc4(MD5.HashData([.. key, (byte)number, (byte)(number >> 8), (byte)(number >> 16), 0, 0]).AsSpan(0, key.Length + 5), content);

    private static byte[] Padded(string password) => [.. Encoding.Latin1.GetBytes(password).Concat(Padding).Take(32)];

    private static byte[] Rc4(ReadOnlySpan<byte> key, ReadOnlySpan<byte> data)
    {
        var s = new byte[256];
        for (var i = 0; i < 256; i++) s[i] = (byte)i;
        for (int i = 0, j = 0; i < 256; i++)
        {
            j = (j + s[i] + key[i % key.Length]) & 255;
            (s[i], s[j]) = (s[j], s[i]);
        }
        var result = new byte[data.Length];
        for (int n = 0, i = 0, j = 0; n < data.Length; n++)
        {
            i = (i + 1) & 255;
            j = (j + s[i]) & 255;
            (s[i], s[j]) = (s[j], s[i]);
            result[n] = (byte)(data[n] ^ s[(s[i] + s[j]) & 255]);
        }
        return result;
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
        file.Append(CultureInfo.InvariantCulture, $"trailer\n<< /Size {objects.Count + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n");
        return Encoding.Latin1.GetBytes(file.ToString());
    }
}
