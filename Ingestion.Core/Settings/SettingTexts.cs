using System.Text.Json;

namespace Ingestion.Core.Settings;

/// <summary>What appsettings.json says of its settings: the comment above each, by configuration key. People and the page read the same.</summary>
internal static class SettingTexts
{
    public static IReadOnlyDictionary<string, string> Read(string path)
    {
        var texts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (!File.Exists(path)) return texts;
        var reader = new Utf8JsonReader(File.ReadAllBytes(path), new() { CommentHandling = JsonCommentHandling.Allow, AllowTrailingCommas = true });
        // Names of the objects we are in; the file's own object has none.
        var sections = new List<string>();
        var comments = new List<string>();
        var name = "";
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.Comment:
                    comments.Add(reader.GetComment().Trim());
                    continue;
                case JsonTokenType.PropertyName:
                    name = reader.GetString()!;
                    if (comments.Count > 0) texts[string.Join(':', [.. sections.Skip(1), name])] = string.Join(' ', comments);
                    break;
                case JsonTokenType.StartObject:
                    sections.Add(name);
                    break;
                case JsonTokenType.EndObject:
                    sections.RemoveAt(sections.Count - 1);
                    break;
            }
            comments.Clear();
        }
        return texts;
    }
}
