using System.Text.RegularExpressions;
using Microsoft.Extensions.Options;

namespace Ingestion.Core.Artifacts;

/// <summary>Where documents' bytes live; the section <c>Ingestion:Artifacts</c>.</summary>
public sealed record ArtifactOptions
{
    public const string Section = "Ingestion:Artifacts";

    /// <summary>The folder that takes new objects where no bucket does; an absolute path.</summary>
    public string Folder { get; set; } = "";

    /// <summary>Folders that were used before and whose objects stay readable; absolute paths.</summary>
    public string[] FormerFolders { get; set; } = [];

    /// <summary>The bucket that takes documents as they came; empty: the one for Markdown, or files.</summary>
    public string RawBucket { get; set; } = "";

    /// <summary>The bucket that takes Markdown and how it came about; empty: the one for raw documents, or files.</summary>
    public string MarkdownBucket { get; set; } = "";

    /// <summary>The S3-compatible store: <c>https://s3.eu-central-1.amazonaws.com</c>.</summary>
    public string Endpoint { get; set; } = "";

    public string Region { get; set; } = "us-east-1";

    public string AccessKey { get; set; } = "";

    public string SecretKey { get; set; } = "";

    /// <summary>The longest that one exchange with the store may take.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Buckets that were used before and whose objects stay readable.</summary>
    public FormerBucket[] FormerBuckets { get; set; } = [];

    /// <summary>True where new objects go into buckets.</summary>
    public bool UsesBuckets => RawBucket.Length > 0 || MarkdownBucket.Length > 0;
}

/// <summary>A bucket that was used before. What is empty is as for the buckets of now.</summary>
public sealed record FormerBucket
{
    public string Bucket { get; set; } = "";

    public string Endpoint { get; set; } = "";

    public string Region { get; set; } = "";

    public string AccessKey { get; set; } = "";

    public string SecretKey { get; set; } = "";
}

/// <summary>Refuses places that could not work, all at once, each message naming its key.</summary>
public sealed partial class ArtifactOptionsValidator : IValidateOptions<ArtifactOptions>
{
    public ValidateOptionsResult Validate(string? name, ArtifactOptions options)
    {
        var errors = new List<string>();
        void Require(bool holds, string key, string rule)
        {
            if (!holds) errors.Add($"{ArtifactOptions.Section}:{key} {rule}.");
        }

        Require(Path.IsPathFullyQualified(options.Folder), nameof(options.Folder), "must be an absolute path");
        Require(options.FormerFolders.All(Path.IsPathFullyQualified), nameof(options.FormerFolders), "must be absolute paths");
        Require(options.RawBucket.Length == 0 || Bucket().IsMatch(options.RawBucket), nameof(options.RawBucket), "must be the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens");
        Require(options.MarkdownBucket.Length == 0 || Bucket().IsMatch(options.MarkdownBucket), nameof(options.MarkdownBucket), "must be the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens");
        Require(options.Endpoint.Length == 0 || IsEndpoint(options.Endpoint), nameof(options.Endpoint), "must be an http or https address without query");
        Require(options.Timeout > TimeSpan.Zero, nameof(options.Timeout), "must be longer than zero");
        Require(options.FormerBuckets.All(b => Bucket().IsMatch(b.Bucket) && (b.Endpoint.Length == 0 || IsEndpoint(b.Endpoint))), nameof(options.FormerBuckets), "must each name a Bucket, and an http or https address where they name an Endpoint");
        Require(options.FormerBuckets.Select(b => b.Bucket).Append(options.RawBucket).Append(options.MarkdownBucket == options.RawBucket ? "" : options.MarkdownBucket).Where(b => b.Length > 0).GroupBy(b => b).All(g => g.Count() == 1),
            nameof(options.FormerBuckets), "must not name a bucket twice, nor one that is in use: documents know their bucket by its name");
        if (options.UsesBuckets)
        {
            Require(options.Endpoint.Length > 0, nameof(options.Endpoint), "is missing: the address of the store that has the buckets");
            Require(options.AccessKey.Length > 0 && options.SecretKey.Length > 0, nameof(options.AccessKey), "and SecretKey are missing: what the store knows this program by");
        }
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    private static bool IsEndpoint(string text) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Query.Length == 0 && url.UserInfo.Length == 0;

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Bucket();
}
