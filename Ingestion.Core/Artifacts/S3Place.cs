using Ingestion.Core.Sources;

namespace Ingestion.Core.Artifacts;

/// <summary>A bucket, where it is, and by what we are known there.</summary>
/// <param name="Endpoint">Ends with a slash.</param>
internal sealed record S3Place(string Bucket, Uri Endpoint, string Region, string AccessKey, string SecretKey)
{
    /// <summary>How an object's row names it, whatever its store's address is.</summary>
    public Uri Name(string key) => new($"s3://{Bucket}/{key}");

    /// <summary>The address of an object, or with an empty key of the bucket.</summary>
    public Uri Url(string key, string query = "") =>
        new($"{Endpoint.GetLeftPart(UriPartial.Path)}{S3Signature.Escape(Bucket)}{(key.Length > 0 ? "/" + S3Signature.Escape(key, path: true) : "")}{(query.Length > 0 ? "?" + query : "")}");

    /// <summary>Never the keys.</summary>
    public override string ToString() => $"{Bucket} at {Endpoint.Authority}";

    /// <summary>The place of a bucket: that of its own among the former ones, else that of the buckets of now. Null where no store is configured.</summary>
    public static S3Place? Of(ArtifactOptions options, string bucket)
    {
        var own = Array.Find(options.FormerBuckets, b => b.Bucket == bucket);
        var endpoint = Or(own?.Endpoint, options.Endpoint);
        return endpoint.Length == 0 ? null
            : new(bucket, new(endpoint.TrimEnd('/') + "/"), Or(own?.Region, options.Region), Or(own?.AccessKey, options.AccessKey), Or(own?.SecretKey, options.SecretKey));
    }

    private static string Or(string? own, string common) => string.IsNullOrEmpty(own) ? common : own;
}
