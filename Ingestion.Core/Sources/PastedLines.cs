using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>
/// Addresses that a person pasted, one a line. Every line that is not blank is kept, in order: what is wrong with one is said here and
/// found again when it is fetched, so that no line vanishes.
/// </summary>
public sealed record PastedLines(IReadOnlyList<UrlEntry> Entries, PastedSummary Summary)
{
    /// <summary>Lines named one by one; of the others only the number is said.</summary>
    public const int Named = 20;
    private const int Shown = 160;

    public static PastedLines Read(string text, UrlRules rules)
    {
        var entries = new List<UrlEntry>();
        var first = new Dictionary<string, int>();
        var (repeated, refused) = (new List<PastedLine>(), new List<PastedLine>());
        var (repeats, refusals, number) = (0, 0, 0);
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            number++;
            var url = line.Trim().TrimStart('\uFEFF').Trim().ToString();
            if (url.Length == 0) continue;
            entries.Add(new(url));
            if (!first.TryAdd(url.IsNormalized() ? url : url.Normalize(), number))
            {
                if (repeats++ < Named) repeated.Add(new(number, Short(url), $"the same as line {first[url.Normalize()]}"));
            }
            else if (Refusal(url, rules) is { } why)
            {
                if (refusals++ < Named) refused.Add(new(number, Short(url), why));
            }
        }
        return new(entries, new(entries.Count, repeats, refusals, repeated, refused));
    }

    /// <summary>Why this address will not be fetched, in a sentence; null where nothing speaks against trying.</summary>
    public static string? Refusal(string url, UrlRules rules)
    {
        try
        {
            rules.Parse(url);
            return null;
        }
        catch (IngestionException e)
        {
            return e.Message;
        }
    }

    private static string Short(string url) => url.Length <= Shown ? url : url[..Shown] + "…";
}

/// <param name="Count">Lines that hold something.</param>
/// <param name="Repeats">Lines that say what an earlier one says; they become no item of their own.</param>
/// <param name="Refusals">Lines that become failed items.</param>
public sealed record PastedSummary(int Count, int Repeats, int Refusals, IReadOnlyList<PastedLine> Repeated, IReadOnlyList<PastedLine> Refused)
{
    public static readonly PastedSummary None = new(0, 0, 0, [], []);
}

/// <param name="Number">From 1, as an editor counts.</param>
public sealed record PastedLine(int Number, string Text, string Why);
