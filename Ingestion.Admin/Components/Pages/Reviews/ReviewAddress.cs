using System.Globalization;
using Ingestion.Core.Review;
using Microsoft.AspNetCore.WebUtilities;

namespace Ingestion.Admin.Components.Pages.Reviews;

/// <summary>
/// The queue as an address says it: which reviews, in which order, which page of them, and of one review which view. Nonsense in an address narrows
/// nothing.
/// </summary>
/// <param name="Me">The account that looks: <c>me</c> in the address.</param>
/// <param name="View">What is shown beside the fields of one review.</param>
/// <param name="At">The review that was looked at last.</param>
public sealed record ReviewAddress(ReviewFilter Filter, string Me, ReviewOrder Order = ReviewOrder.Oldest, int Page = 1, string? View = null, long? At = null)
{
    private const string Mine = "me";
    private const string Nobodys = "nobody";
    private const string Anything = "any";

    // More are no hand's selection.
    private const int MostIds = 200;

    public static ReviewAddress Of(string uri, string me)
    {
        var values = QueryHelpers.ParseQuery(new Uri(uri).Query).ToDictionary(p => p.Key, p => p.Value.LastOrDefault()?.Trim(), StringComparer.Ordinal);
        string? Text(string name) => values.GetValueOrDefault(name) is { Length: > 0 and <= 500 } text ? text : null;
        string? Word(string name, IReadOnlyList<string> known) => Text(name) is { } word && known.Contains(word) ? word : null;
        var filter = new ReviewFilter(
            Text("state") == Anything ? null : Word("state", ReviewStates.All) ?? ReviewStates.Open, Text("collection"), Text("batch"), Word("reason", ReviewReasons.All),
            Share(Text("min")), Share(Text("max")), Share(Text("quality")), Text("q"), Text("entity"), Text("by") == Mine ? me : Text("by"),
            Text("assigned") switch { Mine => me, Nobodys => "", var other => other },
            Text("unsure") switch { "yes" => true, "no" => false, _ => null }, Text("field"), Text("value"), Text("best"), Ids(Text("ids")));
        return new(filter, me, Enum.TryParse<ReviewOrder>(Text("sort"), ignoreCase: true, out var order) && Enum.IsDefined(order) ? order : ReviewOrder.Oldest,
            QueryValue.Page(Text("page")), Text("view"), QueryValue.Number(Text("at")));
    }

    /// <summary>True where the address narrows more than to what waits.</summary>
    public bool IsNarrowed => Filter != new ReviewFilter();

    public ReviewAddress With(ReviewFilter filter) => this with { Filter = filter, Page = 1, At = null };

    /// <summary>The queue.</summary>
    public string Queue() => QueryHelpers.AddQueryString("/review", [.. Parts(), .. One("page", Page > 1 ? Number(Page) : null), .. One("at", At is { } at ? Number(at) : null)]);

    /// <summary>A page of the queue.</summary>
    public string OnPage(int page) => (this with { Page = page, At = null }).Queue();

    /// <summary>One review, with the queue behind it.</summary>
    public string Item(long review) => QueryHelpers.AddQueryString($"/review/{Number(review)}", [.. Parts(), .. One("view", View)]);

    private IEnumerable<KeyValuePair<string, string?>> Parts() =>
    [
        .. One("state", Filter.State is null ? Anything : Filter.State == ReviewStates.Open ? null : Filter.State), .. One("collection", Filter.Collection), .. One("batch", Filter.Batch),
        .. One("reason", Filter.Reason), .. One("min", Percent(Filter.MinConfidence)), .. One("max", Percent(Filter.MaxConfidence)), .. One("quality", Percent(Filter.MaxQuality)),
        .. One("q", Filter.Text), .. One("entity", Filter.Entity), .. One("by", Filter.DecidedBy == Me ? Mine : Filter.DecidedBy),
        .. One("assigned", Filter.AssignedTo == Me ? Mine : Filter.AssignedTo == "" ? Nobodys : Filter.AssignedTo),
        .. One("unsure", Filter.Unsure switch { true => "yes", false => "no", _ => null }), .. One("field", Filter.Field), .. One("value", Filter.Value), .. One("best", Filter.Best),
        .. One("ids", Filter.Ids is { } ids ? string.Join('-', ids) : null), .. One("sort", Order == ReviewOrder.Oldest ? null : Order.ToString().ToLowerInvariant()),
    ];

    private static IEnumerable<KeyValuePair<string, string?>> One(string name, string? value) => value is null ? [] : [new(name, value)];

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Hundredths, as people write them.</summary>
    public static string? Percent(double? share) => share is { } s ? Math.Round(s * 100, 2).ToString(CultureInfo.InvariantCulture) : null;

    /// <summary>Null for what is no number from 0 to 100.</summary>
    public static double? Share(string? percent) =>
        double.TryParse(percent, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 100 ? number / 100 : null;

    private static IReadOnlyList<long>? Ids(string? text) => text?.Split('-') is { Length: <= MostIds } parts && parts.Select(QueryValue.Number).OfType<long>().ToList() is { Count: > 0 } ids ? ids : null;
}
