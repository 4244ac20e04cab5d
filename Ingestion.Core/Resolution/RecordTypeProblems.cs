using System.Text.RegularExpressions;
using AngleSharp.Css.Parser;

namespace Ingestion.Core.Resolution;

/// <summary>What is wrong with a record type, a sentence each; an empty list means that it can be used.</summary>
public static class RecordTypeProblems
{
    private const int LongestPattern = 1000;

    public static IReadOnlyList<string> Of(RecordType type)
    {
        var problems = new List<string>();
        if (string.IsNullOrWhiteSpace(type.Name)) problems.Add("The record type needs a name.");
        if (type.Fields.Count is 0 or > RecordType.MaxFields) problems.Add($"A record type has 1 to {RecordType.MaxFields} fields.");
        foreach (var twice in type.Fields.GroupBy(f => f.Name).Where(g => g.Count() > 1)) problems.Add($"There are several fields “{twice.Key}”.");
        foreach (var field in type.Fields) problems.AddRange(Of(field));
        foreach (var (name, matcher) in type.Matchers ?? new Dictionary<string, Matcher>())
        {
            if (matcher.Steps.Count == 0) problems.Add($"The matcher of {name} has no steps.");
            if (matcher.Accept is not (> 0 and <= 1) || matcher.Reject is not (>= 0 and < 1) || matcher.Reject >= matcher.Accept)
                problems.Add($"The thresholds of {name} must be 0 ≤ reject < accept ≤ 1.");
        }
        return problems;
    }

    /// <summary>The rule's expression, ready to run on hostile text: linear in its length. Throws <see cref="ArgumentException"/>, also for what cannot be linear.</summary>
    public static Regex Compile(string pattern)
    {
        try
        {
            return new(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Multiline, TimeSpan.FromSeconds(2));
        }
        catch (NotSupportedException e)
        {
            throw new ArgumentException(e.Message, nameof(pattern), e);
        }
    }

    private static IEnumerable<string> Of(RecordField field)
    {
        if (string.IsNullOrWhiteSpace(field.Name) || field.Name.Length > 100) yield return "Every field needs a name of at most 100 characters.";
        if (field.Kind == FieldKind.Entity && string.IsNullOrWhiteSpace(field.EntityType)) yield return $"The field {field.Name} needs an entity_type.";
        if (field.Rules.Count == 0) yield return $"The field {field.Name} has no rules.";
        foreach (var rule in field.Rules)
        {
            if (field.Kind == FieldKind.Sections != (rule.From == FieldSource.Labels)) yield return $"The field {field.Name}: labels are for sections, and sections for labels.";
            if (Missing(rule) is { } missing) yield return $"The field {field.Name}: a rule from {Word(rule.From)} needs {missing}.";
            if (rule.Selector is { } selector && new CssSelectorParser().ParseSelector(selector) is null) yield return $"The field {field.Name}: “{selector}” is no CSS selector.";
            if (rule.Pattern is { } pattern && PatternProblem(pattern) is { } problem) yield return $"The field {field.Name}: the pattern “{pattern}” cannot be used: {problem}";
        }
    }

    private static string? Missing(FieldRule rule) => rule.From switch
    {
        FieldSource.Column or FieldSource.Meta when string.IsNullOrWhiteSpace(rule.Name) => "name",
        FieldSource.Css when string.IsNullOrWhiteSpace(rule.Selector) => "selector",
        FieldSource.Labels when rule.Labels is not { Count: > 0 } => "labels",
        FieldSource.Constant when string.IsNullOrWhiteSpace(rule.Value) => "value",
        _ => null,
    };

    private static string? PatternProblem(string pattern)
    {
        if (pattern.Length > LongestPattern) return $"it is longer than {LongestPattern} characters.";
        try
        {
            Compile(pattern);
            return null;
        }
        catch (ArgumentException e)
        {
            return e.Message;
        }
    }

    private static string Word(FieldSource source) => source.ToString().ToLowerInvariant();
}
