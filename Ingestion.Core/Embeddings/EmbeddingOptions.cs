using Microsoft.Extensions.Options;

namespace Ingestion.Core.Embeddings;

/// <summary>The remote embedding service, section <c>Ingestion:Embedding</c>. With neither key nor endpoint the local model serves.</summary>
public sealed class EmbeddingOptions
{
    public const string Section = "Ingestion:Embedding";

    public const string DefaultModel = "text-embedding-3-large";

    public const string DefaultEndpoint = "https://api.openai.com/v1";

    /// <summary>Base URL of any service that speaks OpenAI's protocol, without <c>/embeddings</c>; absent means <see cref="DefaultEndpoint"/>.</summary>
    public string? Endpoint { get; set; }

    /// <summary>Sent as a bearer token; a service inside the house may need none.</summary>
    public string? ApiKey { get; set; }

    public string Model { get; set; } = DefaultModel;

    /// <summary>Shorter vectors from models that offer them, 1 to 16,384; absent means the model's own length.</summary>
    public int? Dimensions { get; set; }

    /// <summary>Texts in one request at most, 1 to 2,048.</summary>
    public int BatchSize { get; set; } = 32;

    /// <summary>Requests of this process under way at once, 1 to 64.</summary>
    public int MaxConcurrentRequests { get; set; } = 8;

    /// <summary>Requests begun in a minute at most, of all processes together; 0 for no limit.</summary>
    public int RequestsPerMinute { get; set; }

    /// <summary>For a whole exchange, connecting and reading included; one second to ten minutes.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>True where a remote service was set up: a key, or an endpoint other than the default one, is enough.</summary>
    public bool IsRemote => !string.IsNullOrWhiteSpace(ApiKey) || (!string.IsNullOrWhiteSpace(Endpoint) && Endpoint != DefaultEndpoint);

    internal Uri BaseAddress => new(string.IsNullOrWhiteSpace(Endpoint) ? DefaultEndpoint : Endpoint);
}

/// <summary>Collects everything that is wrong, so that one start shows it all; each message names its key.</summary>
internal sealed class EmbeddingOptionsValidator : IValidateOptions<EmbeddingOptions>
{
    public ValidateOptionsResult Validate(string? name, EmbeddingOptions options)
    {
        var problems = new List<string>();
        void Require(bool holds, string key, string rule)
        {
            if (!holds) problems.Add($"{EmbeddingOptions.Section}:{key} {rule}.");
        }

        if (!string.IsNullOrWhiteSpace(options.Endpoint))
        {
            var absolute = Uri.TryCreate(options.Endpoint, UriKind.Absolute, out var uri)
                && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps);
            Require(absolute, nameof(options.Endpoint), "must be an absolute URL (http or https)");
            Require(!absolute || uri!.UserInfo.Length == 0, nameof(options.Endpoint), $"must not hold a user name or password; use {EmbeddingOptions.Section}:ApiKey");
            Require(!absolute || uri!.Fragment.Length == 0, nameof(options.Endpoint), "must not hold a fragment (#)");
        }
        Require(options.ApiKey is null || options.ApiKey.Trim().All(c => c is > ' ' and < '\x7f'), nameof(options.ApiKey), "must be printable ASCII without spaces");
        Require(!string.IsNullOrWhiteSpace(options.Model) && options.Model.Length <= 200, nameof(options.Model), "must be a name of at most 200 characters");
        Require(options.Dimensions is null or (>= 1 and <= 16_384), nameof(options.Dimensions), "must lie between 1 and 16384, or be absent");
        Require(options.BatchSize is >= 1 and <= 2048, nameof(options.BatchSize), "must lie between 1 and 2048");
        Require(options.MaxConcurrentRequests is >= 1 and <= 64, nameof(options.MaxConcurrentRequests), "must lie between 1 and 64");
        Require(options.RequestsPerMinute is >= 0 and <= 1_000_000, nameof(options.RequestsPerMinute), "must lie between 0 (no limit) and 1000000");
        Require(options.Timeout >= TimeSpan.FromSeconds(1) && options.Timeout <= TimeSpan.FromMinutes(10), nameof(options.Timeout), "must lie between 00:00:01 and 00:10:00");
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
