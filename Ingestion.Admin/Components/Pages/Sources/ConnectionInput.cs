using System.Text.Json;
using System.Text.Json.Nodes;
using Ingestion.Core.Sources;

namespace Ingestion.Admin.Components.Pages.Sources;

/// <summary>What a person types into the form of a connection, by field; lines of several are one text.</summary>
public sealed class ConnectionInput
{
    public string Key { get; set; } = "";

    public string Name { get; set; } = "";

    public Dictionary<string, string> Values { get; } = [];

    public string this[SourceField field]
    {
        get => Values.GetValueOrDefault(field.Name, "");
        set => Values[field.Name] = value;
    }

    /// <summary>Fills the form from settings that are there; secrets stay empty.</summary>
    public void Read(SourceKind kind, string settings)
    {
        using var json = JsonDocument.Parse(settings);
        foreach (var field in kind.Settings)
            if (json.RootElement.TryGetProperty(field.Name, out var value))
                this[field] = value.ValueKind switch
                {
                    JsonValueKind.Array => string.Join('\n', value.EnumerateArray().Select(v => v.GetString())),
                    JsonValueKind.True => "true",
                    JsonValueKind.String => value.GetString()!,
                    _ => value.GetRawText(),
                };
    }

    /// <summary>The settings as the API takes them. A secret that was left empty is left out: it stays what it is.</summary>
    public JsonElement Settings(SourceKind kind)
    {
        var settings = new JsonObject();
        foreach (var field in kind.Settings)
        {
            var text = this[field];
            switch (field.Type)
            {
                case FieldType.Flag:
                    settings[field.Name] = text == "true";
                    break;
                case FieldType.Number when int.TryParse(text, out var number):
                    settings[field.Name] = number;
                    break;
                case FieldType.Lines or FieldType.Patterns when text.Length > 0:
                    settings[field.Name] = new JsonArray([.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(l => (JsonNode)l)]);
                    break;
                case FieldType.Secret or FieldType.Text when text.Length > 0:
                    settings[field.Name] = field.Type == FieldType.Secret ? text : text.Trim();
                    break;
            }
        }
        return JsonSerializer.SerializeToElement(settings);
    }
}
