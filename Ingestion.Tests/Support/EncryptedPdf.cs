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
        var guard = Rc4(MD5.HashData(Padded(owner)).AsSpan(0, 5), Padded(user));
        var key = MD5.HashData([.. Padded(user), .. guard, .. BitConverter.GetBytes(Permissions), .. Id])[..5];
        var proof = Rc4(key, Padding);
        var content = Encrypt(key, 5, Encoding.Latin1.GetBytes($"BT /F1 12 Tf 72 720 Td ({line}) Tj ET"));
        string[] objects =
        [
            "<< /Type /Catalog /Pages 2 0 R >>",
            "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents 5 0 R >>",
            $"<< /Length {content.Length} >>\nstream\n{Encoding.Latin1.GetString(content)}\nendstream",
            $"<< /Filter /Standard /V 1 /R 2 /O <{Convert.ToHexString(guard)}> /U <{Convert.ToHexString(proof)}> /P {Permissions} >>",
        ];
        return PdfFile.Write([.. objects.Select(Encoding.Latin1.GetBytes)], $"/Encrypt 6 0 R /ID [<{Convert.ToHexString(Id)}> <{Convert.ToHexString(Id)}>]");
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
}
