using Microsoft.Extensions.Options;

namespace Ingestion.Core.Sources;

/// <summary>Who crawls sites.</summary>
public enum FirecrawlSites
{
    /// <summary>This program.</summary>
    Off,
    /// <summary>Firecrawl follows the links.</summary>
    Crawl,
    /// <summary>Firecrawl says what addresses there are, and fetches those that are wanted.</summary>
    Map,
}

/// <summary>Firecrawl, or a server that speaks its API v2, instead of this program's own fetching: the section <c>Ingestion:Firecrawl</c>.</summary>
public sealed class FirecrawlOptions
{
    public const string Section = "Ingestion:Firecrawl";

    /// <summary>Where it answers, without <c>/v2</c>. One in an inner network needs an entry in <c>Ingestion:Acquire:AllowedTargets</c>.</summary>
    public string Address { get; set; } = "https://api.firecrawl.dev";

    /// <summary>Sent as a bearer token; empty for a server of one's own that asks for none.</summary>
    public string ApiKey { get; set; } = "";

    /// <summary>Whether it takes sites. A connection with a sign-in is always crawled by this program: its secrets go to its site alone.</summary>
    public FirecrawlSites Sites { get; set; }

    /// <summary>True: it fetches single addresses and rows of manifests.</summary>
    public bool Urls { get; set; }

    /// <summary>How often it is asked how far it is.</summary>
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Where it reaches this program, such as <c>https://ingestion.example.org</c>; empty: it is only asked. What it tells makes us ask sooner.</summary>
    public string CallbackAddress { get; set; } = "";

    /// <summary>What it signs its messages with; empty: none is taken.</summary>
    public string WebhookSecret { get; set; } = "";
}

/// <summary>Refuses settings that could not work, all at once, each message naming its key.</summary>
public sealed class FirecrawlOptionsValidator : IValidateOptions<FirecrawlOptions>
{
    public ValidateOptionsResult Validate(string? name, FirecrawlOptions options)
    {
        var errors = new List<string>();
        void Require(bool holds, string key, string rule)
        {
            if (!holds) errors.Add($"{FirecrawlOptions.Section}:{key} {rule}.");
        }

        Require(IsAddress(options.Address), nameof(options.Address), "must be an absolute http or https URL without a query");
        Require(options.ApiKey.All(c => c is > ' ' and <= '~'), nameof(options.ApiKey), "must be printable ASCII without blanks");
        Require(Enum.IsDefined(options.Sites), nameof(options.Sites), "must be Off, Crawl or Map");
        Require(options.Poll >= TimeSpan.FromMilliseconds(50) && options.Poll <= TimeSpan.FromHours(1), nameof(options.Poll), "must be from 50 milliseconds to an hour");
        Require(options.CallbackAddress.Length == 0 || IsAddress(options.CallbackAddress), nameof(options.CallbackAddress), "must be an absolute http or https URL without a query");
        Require(options.CallbackAddress.Length == 0 || options.WebhookSecret.Length > 0, nameof(options.WebhookSecret), "must be set where CallbackAddress is: what is not signed is not taken");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static bool IsAddress(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Query.Length == 0;
}
