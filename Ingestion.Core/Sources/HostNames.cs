using System.Net;

namespace Ingestion.Core.Sources;

/// <summary>Spelling of hosts: what a name looks like when compared, and which names stand for the inside of a network.</summary>
internal static class HostNames
{
    private static readonly string[] InternalSuffixes =
    [
        "localhost", "localdomain", "local", "internal", "intranet", "lan", "corp", "home", "private", "home.arpa", "test",
    ];

    private static readonly string[] MetadataNames = ["metadata.google.internal", "metadata.goog", "metadata.azure.internal"];

    /// <summary>Lower case, one trailing dot less, brackets off.</summary>
    public static string Normalize(string host)
    {
        var name = host.Trim('[', ']').ToLowerInvariant();
        return name.EndsWith('.') ? name[..^1] : name;
    }

    /// <summary>True where the address is written the one usual way: no octal, hexadecimal, short or padded forms.</summary>
    public static bool IsCanonical(string text, IPAddress address) =>
        address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetwork || address.ToString() == text;

    /// <summary>True where some resolver might read the name as an IPv4 address: its last label is a decimal or hexadecimal number.</summary>
    public static bool LooksNumeric(string name)
    {
        var last = name[(name.LastIndexOf('.') + 1)..];
        return last.Length > 0 && (last.All(char.IsAsciiDigit)
            || (last.StartsWith("0x", StringComparison.Ordinal) && last[2..].All(char.IsAsciiHexDigit)));
    }

    public static bool IsMetadata(string name) => MetadataNames.Contains(name);

    /// <summary>True for single-label names and names under a suffix that public DNS does not serve.</summary>
    public static bool IsInternal(string name) =>
        !name.Contains('.') || InternalSuffixes.Any(s => name.EndsWith("." + s, StringComparison.Ordinal));
}
