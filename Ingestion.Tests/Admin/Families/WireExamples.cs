using System.Text.Json;
using System.Text.RegularExpressions;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Admin.Families;

/// <summary>The documents that describe the families, where they lie beside the repository: their examples, block by block.</summary>
internal static partial class WireExamples
{
    private static readonly string Folder = Path.GetFullPath(Path.Join(Repository.Root, "..", "shared", "seeds"));

    public static bool AreHere => Directory.Exists(Folder);

    /// <summary>Code blocks of a language in the document whose name begins so, in order.</summary>
    public static IReadOnlyList<string> Blocks(string document, string language) =>
        [.. Fence().Matches(File.ReadAllText(Directory.GetFiles(Folder, document + "_*.txt").Single())).Where(m => m.Groups["language"].Value == language).Select(m => Outdented(m.Groups["code"].Value))];

    /// <summary>The JSON example that holds a text, with what is only meant for readers taken out: comments, and dots for "and so on".</summary>
    public static JsonElement Json(string document, string having) => Parse(Blocks(document, "json").Single(b => b.Contains(having, StringComparison.Ordinal)));

    /// <inheritdoc cref="Json"/>
    public static JsonElement Parse(string block) => JsonSerializer.Deserialize<JsonElement>(Comment().Replace(block, "").Replace("[...]", "[]", StringComparison.Ordinal));

    /// <summary>Fails unless everything in the example is there, with a value of the same kind, to any depth.</summary>
    public static void ShouldHaveTheShapeOf(this JsonElement actual, JsonElement example, string at = "$")
    {
        Kind(actual).ShouldBe(Kind(example), at);
        if (example.ValueKind == JsonValueKind.Object)
            foreach (var member in example.EnumerateObject())
            {
                actual.TryGetProperty(member.Name, out var value).ShouldBeTrue($"{at}.{member.Name} is missing in {actual}");
                value.ShouldHaveTheShapeOf(member.Value, $"{at}.{member.Name}");
            }
        // Each element of ours looks like the first of the example's.
        if (example.ValueKind == JsonValueKind.Array && example.GetArrayLength() > 0)
            foreach (var element in actual.EnumerateArray()) element.ShouldHaveTheShapeOf(example[0], $"{at}[]");
    }

    private static string Kind(JsonElement e) => e.ValueKind is JsonValueKind.True or JsonValueKind.False ? "flag" : e.ValueKind.ToString();

    // Blocks inside lists are indented with them.
    private static string Outdented(string code)
    {
        var lines = code.Split('\n');
        var indent = lines.Where(l => l.Trim().Length > 0).Select(l => l.Length - l.TrimStart().Length).DefaultIfEmpty(0).Min();
        return string.Join('\n', lines.Select(l => l.Length >= indent ? l[indent..] : l));
    }

    [GeneratedRegex(@"^[ ]*```(?<language>\w*)\n(?<code>.*?)^[ ]*```", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Fence();

    [GeneratedRegex(@"(^|\s)//\s.*$", RegexOptions.Multiline | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Comment();
}

/// <summary>A test over the examples; skipped where they are not at hand.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class WireExampleFactAttribute : FactAttribute
{
    public WireExampleFactAttribute()
    {
        if (!WireExamples.AreHere) Skip = "The documents with the examples are not beside the repository.";
    }
}
