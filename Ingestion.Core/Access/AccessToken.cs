using System.Security.Cryptography;
using System.Text;

namespace Ingestion.Core.Access;

/// <summary>Random tokens of 256 bits. What is stored is a hash: of something that cannot be guessed a plain one is enough.</summary>
public static class AccessToken
{
    private const int Bytes = 32;

    /// <summary>A new token behind a prefix that tells people what it is.</summary>
    public static string New(string prefix = "") => prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes));

    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
