using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;
using Microsoft.AspNetCore.Mvc;

namespace Ingestion.Admin.Api.Reviewing;

/// <summary>Which reviews a query asks for. Without a <c>state</c> it means the open ones; <c>any</c> means all.</summary>
internal sealed record ReviewAsked
{
    private const string Any = "any";
    private const string Nobody = "nobody";
    private const int MostIds = 10_000;
    private const int Longest = 500;

    public string? State { get; init; }

    public string? Collection { get; init; }

    public string? Batch { get; init; }

    public string? Reason { get; init; }

    [FromQuery(Name = "min_confidence")]
    public double? MinConfidence { get; init; }

    [FromQuery(Name = "max_confidence")]
    public double? MaxConfidence { get; init; }

    [FromQuery(Name = "max_quality")]
    public double? MaxQuality { get; init; }

    public string? Q { get; init; }

    public string? Entity { get; init; }

    [FromQuery(Name = "decided_by")]
    public string? DecidedBy { get; init; }

    /// <summary>The account that is to decide; <c>nobody</c> finds what nobody has to.</summary>
    [FromQuery(Name = "assigned_to")]
    public string? AssignedTo { get; init; }

    public bool? Unsure { get; init; }

    /// <summary>Throws <c>invalid_option</c> for a word that is none, and a share that is none.</summary>
    public ReviewFilter Filter() => new(
        State is null or "" ? ReviewStates.Open : State == Any ? null : OneOf("state", State, [.. ReviewStates.All, Any]), Plain("collection", Collection), Plain("batch", Batch),
        Reason is null or "" ? null : OneOf("reason", Reason, ReviewReasons.All), Share("min_confidence", MinConfidence), Share("max_confidence", MaxConfidence), Share("max_quality", MaxQuality),
        Plain("q", Q), Plain("entity", Entity), Plain("decided_by", DecidedBy), Whose(Plain("assigned_to", AssignedTo)), Unsure);

    /// <summary>The same from a JSON object, for what is decided over open reviews.</summary>
    public static ReviewFilter Read(string name, JsonElement value)
    {
        var filter = new ReviewFilter();
        foreach (var member in JsonFields.Members(name, value))
        {
            var (at, of) = ($"{name}.{member.Name}", member.Value);
            filter = member.Name switch
            {
                "collection" => filter with { Collection = JsonFields.Text(at, of, Longest) },
                "batch" => filter with { Batch = JsonFields.Text(at, of, Longest) },
                "reason" => filter with { Reason = OneOf(at, JsonFields.Text(at, of, Longest), ReviewReasons.All) },
                "min_confidence" => filter with { MinConfidence = Number(at, of) },
                "max_confidence" => filter with { MaxConfidence = Number(at, of) },
                "max_quality" => filter with { MaxQuality = Number(at, of) },
                "q" => filter with { Text = JsonFields.Text(at, of, Longest) },
                "entity" => filter with { Entity = JsonFields.Text(at, of, Longest) },
                "assigned_to" => filter with { AssignedTo = Whose(JsonFields.Text(at, of, Longest)) },
                "unsure" => filter with { Unsure = JsonFields.Flag(at, of) },
                "ids" => filter with { Ids = Numbers(at, of) },
                _ => throw Invalid($"{JsonFields.Shown(at)} is not known here. Known are: collection, batch, reason, min_confidence, max_confidence, max_quality, q, entity, assigned_to, unsure, ids."),
            };
        }
        return filter;
    }

    private static string? Whose(string? account) => account == Nobody ? "" : account;

    private static IReadOnlyList<long> Numbers(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() is 0 or > MostIds) throw Invalid($"{JsonFields.Shown(name)} must be 1 to {MostIds:N0} ids of reviews.");
        return [.. value.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Number && v.TryGetInt64(out var id) ? id : throw Invalid($"{JsonFields.Shown(name)} must hold numbers alone."))];
    }

    private static double? Number(string name, JsonElement value) => value.ValueKind == JsonValueKind.Number ? Share(name, value.GetDouble()) : throw Invalid($"{JsonFields.Shown(name)} must be a number from 0 to 1.");

    private static double? Share(string name, double? value) => value is null or (>= 0 and <= 1) ? value : throw Invalid($"{JsonFields.Shown(name)} must be a number from 0 to 1.");

    private static string OneOf(string name, string word, IReadOnlyList<string> known) => known.Contains(word) ? word : throw Invalid($"{JsonFields.Shown(name)} must be one of {string.Join(", ", known)}.");

    // A query can carry U+0000, which the database takes in no text.
    private static string? Plain(string name, string? text) => text switch
    {
        null or "" => null,
        { Length: > Longest } => throw Invalid($"{name} has more than {Longest} characters."),
        _ => text.Replace('\0', '\uFFFD'),
    };

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
