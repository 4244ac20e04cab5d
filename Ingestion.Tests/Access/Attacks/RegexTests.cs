using System.Reflection;
using System.Text.RegularExpressions;
using Ingestion.Core.Data;
using Ingestion.Tests.Support;
using Shouldly;
using Xunit;

namespace Ingestion.Tests.Access.Attacks;

/// <summary>No pattern of ours can be kept busy by a text, and no text becomes a pattern.</summary>
public sealed class RegexTests
{
    private const BindingFlags Any = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    [Fact]
    public void Every_pattern_has_a_time_limit_or_never_goes_back()
    {
        var patterns = new[] { typeof(Program).Assembly, typeof(Database).Assembly }.SelectMany(a => a.GetTypes()).SelectMany(t => t.GetMembers(Any))
            .Select(m => (Member: m, Pattern: m.GetCustomAttribute<GeneratedRegexAttribute>())).Where(p => p.Pattern is not null).ToList();
        patterns.Count.ShouldBeGreaterThan(10);
        patterns.Where(p => p.Pattern!.MatchTimeoutMilliseconds is -1 or 0 or > 1000 && !p.Pattern.Options.HasFlag(RegexOptions.NonBacktracking))
            .Select(p => $"{p.Member.DeclaringType!.Name}.{p.Member.Name}").ShouldBeEmpty();
        Console.WriteLine($"{patterns.Count} patterns, each bounded");
    }

    [Fact]
    public void No_code_makes_a_pattern_at_run_time_that_could_run_for_ever()
    {
        var made = new List<string>();
        foreach (var folder in new[] { "Ingestion.Core", "Ingestion.Admin" })
            foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.*", SearchOption.AllDirectories)
                .Where(f => (f.EndsWith(".cs", StringComparison.Ordinal) || f.EndsWith(".razor", StringComparison.Ordinal)) && !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal)))
            {
                var text = string.Join('\n', File.ReadLines(file).Where(l => !l.Contains(nameof(RegexOptions.NonBacktracking), StringComparison.Ordinal)));
                made.AddRange(new[] { "new Regex(", "Regex.IsMatch(", "Regex.Match(", "Regex.Matches(", "Regex.Replace(", "Regex.Split(" }.Where(w => text.Contains(w, StringComparison.Ordinal)).Select(w => $"{file}: {w}"));
            }
        made.ShouldBeEmpty();
    }
}
