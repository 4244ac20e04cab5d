using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;

namespace Ingestion.Admin.Api.Reviewing;

/// <summary>Entities and spellings as JSON; each throws <c>invalid_option</c> with a sentence that begins with the member's name.</summary>
internal static class ReferenceJson
{
    private const int Longest = 1000;

    public static ReferenceEntity Entity(string name, JsonElement value)
    {
        var entity = new ReferenceEntity("", "");
        foreach (var member in JsonFields.Members(name, value))
        {
            var at = $"{name}.{member.Name}";
            entity = member.Name switch
            {
                "key" => entity with { Key = JsonFields.Text(at, member.Value, Longest) },
                "name" => entity with { Name = JsonFields.Text(at, member.Value, Longest) },
                "aliases" => entity with { Aliases = JsonFields.List(at, member.Value, Spelling) },
                "parent" => entity with { Parent = JsonFields.OptionalText(at, member.Value, Longest) },
                "attributes" => entity with { Attributes = JsonFields.Members(at, member.Value).ToDictionary(a => a.Name, a => JsonFields.Text($"{at}.{a.Name}", a.Value, 10 * Longest)) },
                _ => throw Invalid($"{JsonFields.Shown(at)} is not known here. Known are: key, name, aliases, parent, attributes."),
            };
        }
        return entity.Key.Length > 0 || entity.Name.Length == 0 ? entity : entity with { Key = ReferenceTables.KeyOf(entity.Name, new HashSet<string>()) };
    }

    public static NamedAlias Alias(string name, JsonElement value)
    {
        var alias = new NamedAlias("", "");
        foreach (var member in JsonFields.Members(name, value))
        {
            var at = $"{name}.{member.Name}";
            alias = member.Name switch
            {
                "text" => alias with { Text = JsonFields.Text(at, member.Value, Longest) },
                "entity" => alias with { Entity = JsonFields.Text(at, member.Value, Longest) },
                "certainty" => alias with { Certainty = Certainty(at, member.Value) },
                _ => throw Invalid($"{JsonFields.Shown(at)} is not known here. Known are: text, entity, certainty."),
            };
        }
        return alias is { Text.Length: > 0, Entity.Length: > 0 } ? alias : throw Invalid($"{name} needs text, the spelling, and entity, the key or name of what it means.");
    }

    public static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);

    // A bare text is a spelling that holds.
    private static EntityAlias Spelling(string name, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String) return new(JsonFields.Text(name, value, Longest));
        var (text, certainty) = ("", 1d);
        foreach (var member in JsonFields.Members(name, value))
            (text, certainty) = member.Name switch
            {
                "text" => (JsonFields.Text($"{name}.text", member.Value, Longest), certainty),
                "certainty" => (text, Certainty($"{name}.certainty", member.Value)),
                _ => throw Invalid($"{JsonFields.Shown($"{name}.{member.Name}")} is not known here. Known are: text, certainty."),
            };
        return text.Length > 0 ? new(text, certainty) : throw Invalid($"{name}.text is missing.");
    }

    private static double Certainty(string name, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.GetDouble() is >= 0 and <= 1 and var certainty ? certainty : throw Invalid($"{JsonFields.Shown(name)} must be a number from 0 to 1.");
}
