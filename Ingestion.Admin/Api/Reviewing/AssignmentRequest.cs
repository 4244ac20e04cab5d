using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;

namespace Ingestion.Admin.Api.Reviewing;

/// <summary>Who is to decide which open reviews: a <c>filter</c>, and <c>to</c>, an account, <c>me</c>, or null for nobody in particular.</summary>
internal static class AssignmentRequest
{
    public const string Me = "me";
    private const int Longest = 200;

    /// <summary>Throws <c>invalid_option</c> where a member is missing, unknown, or does not fit.</summary>
    public static (ReviewFilter Filter, string? To) Read(JsonElement body)
    {
        foreach (var member in body.EnumerateObject())
            if (member.Name is not ("filter" or "to")) throw Invalid($"{JsonFields.Shown(member.Name)} is not known here. Known are: filter, to.");
        if (!body.TryGetProperty("filter", out var filter)) throw Invalid("filter is missing: which open reviews are meant. An empty object means all of them.");
        if (!body.TryGetProperty("to", out var to)) throw Invalid("to is missing: an account, me, or null for nobody in particular.");
        return (ReviewAsked.Read("filter", filter), JsonFields.OptionalText("to", to, Longest));
    }

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
