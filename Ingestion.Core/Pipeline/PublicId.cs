using System.Security.Cryptography;

namespace Ingestion.Core.Pipeline;

/// <summary>Ids for the outside: a prefix and 80 random bits in base32, which expose no count and can be read aloud.</summary>
public static class PublicId
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";

    public static string New(string prefix) => string.Create(prefix.Length + 16, prefix, static (span, p) =>
    {
        p.CopyTo(span);
        Span<byte> bytes = stackalloc byte[16];
        RandomNumberGenerator.Fill(bytes);
        for (var i = 0; i < 16; i++) span[p.Length + i] = Alphabet[bytes[i] & 31];
    });
}
