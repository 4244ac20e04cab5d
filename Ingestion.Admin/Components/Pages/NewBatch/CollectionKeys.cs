using System.Globalization;
using System.Text;

namespace Ingestion.Admin.Components.Pages.NewBatch;

/// <summary>Makes the short key of a collection from its name: small letters and digits, dashes between, as the database wants it.</summary>
internal static class CollectionKeys
{
    private const int Longest = 63;

    /// <summary><c>Café Menüs 2024</c> → <c>cafe-menus-2024</c>; empty where the name holds no Latin letter or digit.</summary>
    public static string Of(string name)
    {
        var key = new StringBuilder();
        foreach (var c in name.Normalize(NormalizationForm.FormD))
        {
            if (char.IsAsciiLetterOrDigit(c)) key.Append(char.ToLowerInvariant(c));
            else if (CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark && key.Length > 0 && key[^1] != '-') key.Append('-');
        }
        return key.ToString(0, Math.Min(key.Length, Longest)).Trim('-');
    }
}
