namespace Ingestion.Admin.OpenApi;

/// <summary>One operation as the reference describes it.</summary>
/// <param name="Pattern">As the route and its rule say it.</param>
/// <param name="Tag">The part of the API that it belongs to.</param>
/// <param name="Summary">A sentence.</param>
/// <param name="Status">Of the answer to a request that succeeds.</param>
public sealed record ApiOperation(string Method, string Pattern, string Tag, string Summary, int Status = 200)
{
    /// <summary>Name of the example of a request's body; null where it takes none, or an optional one.</summary>
    public string? Request { get; init; }

    /// <summary>Members that the body cannot do without.</summary>
    public IReadOnlyList<string> Required { get; init; } = [];

    /// <summary>Fields of a form whose part <c>file</c> is a file; null where the body is no form.</summary>
    public IReadOnlyList<string>? Form { get; init; }

    /// <summary>The media type of a body that is bytes; null where it is none.</summary>
    public string? Bytes { get; init; }

    /// <summary>Name of the example of the answer's body; null where it has none.</summary>
    public string? Answer { get; init; }

    /// <summary>The media type of an answer that is a file or a stream.</summary>
    public string? Stream { get; init; }

    /// <summary>The pattern as a document writes it: without constraints.</summary>
    public string Path => "/" + string.Join('/', Pattern.Trim('/').Split('/').Select(Plain));

    /// <summary>A name for links and generated clients.</summary>
    public string Id => $"{Method.ToLowerInvariant()}_{string.Join('_', Path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Trim('{', '}').Replace('-', '_')))}";

    private static string Plain(string part) => part.StartsWith('{') ? $"{{{part.Trim('{', '}', '*').Split(':')[0]}}}" : part;
}
