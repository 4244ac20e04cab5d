using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Library;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api;

/// <summary><c>/api/v1/collections</c> and the documents in them: what is published, version by version, chunk by chunk.</summary>
internal static class LibraryApi
{
    private const int MaxPage = 1000;

    public static WebApplication MapLibrary(this WebApplication app)
    {
        var collections = app.MapGroup("/api/v1/collections");
        collections.MapGet("/", ListAsync);
        collections.MapPost("/", CreateAsync).WithMetadata(CreatesOnce.Mark);
        collections.MapGet("/{key}", async (HttpContext http, string key, Collections library, CancellationToken ct) =>
            await library.FindAsync(http.User.Scope(), key, ct) is { } collection ? Tagged.Answer(http, View(collection)) : NoCollection(key));
        collections.MapPatch("/{key}", RenameAsync);
        collections.MapGet("/{key}/documents", DocumentsAsync);
        var documents = app.MapGroup("/api/v1/documents");
        documents.MapGet("/{id:long}", async (HttpContext http, long id, Documents library, CancellationToken ct) =>
            await library.FindAsync(http.User.Scope(), id, ct) is { } document ? Tagged.Answer(http, View(document, await library.OriginsAsync(http.User.Scope(), id, ct))) : NoDocument(id));
        documents.MapGet("/{id:long}/versions", async (HttpContext http, long id, Documents library, CancellationToken ct) =>
            await library.FindAsync(http.User.Scope(), id, ct) is { } document ? Tagged.Answer(http, new { Versions = document.Versions.Select(View) }) : NoDocument(id));
        documents.MapGet("/{version:long}/chunks", ChunksAsync);
        return app;
    }

    private static async Task<IResult> ListAsync(HttpContext http, Collections library, string? q, string? sort, int? skip, int? take, CancellationToken ct)
    {
        var found = (await library.ListAsync(http.User.Scope(), ct)).Where(c => string.IsNullOrWhiteSpace(q)
            || c.Key.Contains(q, StringComparison.OrdinalIgnoreCase) || c.Name.Contains(q, StringComparison.OrdinalIgnoreCase)).ToList();
        IEnumerable<CollectionView> sorted = sort switch
        {
            null or "name" => found,
            "documents" => found.OrderByDescending(c => c.Documents).ThenBy(c => c.Key, StringComparer.Ordinal),
            "published" => found.OrderByDescending(c => c.LastPublishedAt).ThenBy(c => c.Key, StringComparer.Ordinal),
            "created" => found.OrderByDescending(c => c.CreatedAt).ThenBy(c => c.Key, StringComparer.Ordinal),
            _ => throw new IngestionException(ErrorCodes.InvalidOption, "sort must be one of name, documents, published, created."),
        };
        return Wire.Answer(new { Collections = sorted.Skip(Paging.Skip(skip)).Take(Paging.Take(take, 100, MaxPage)).Select(View), Total = found.Count });
    }

    private static async Task<IResult> CreateAsync(HttpContext http, Collections library, CancellationToken ct)
    {
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        var (key, name, description) = JsonFields.Read(() => Members(body.RootElement, keyed: true));
        if (name is null) throw new IngestionException(ErrorCodes.InvalidOption, "name is missing: what people shall call the collection.");
        key ??= CollectionName.KeyOf(name);
        if (CollectionName.KeyProblem(key) is { } problem) throw new IngestionException(ErrorCodes.InvalidOption, $"key: {problem}");
        if (await library.FindAsync(http.User.Scope(), key, ct) is not null) return Wire.Refuse(StatusCodes.Status409Conflict, $"There is a collection “{key}” already.");
        if (await library.CreateAsync(http.Actor(), key, name, description, ct) is { Problem: { } refusal }) return Refused(refusal);
        if (await library.FindAsync(http.User.Scope(), key, ct) is not { } made) return NoCollection(key);
        http.Response.Headers.Location = $"/api/v1/collections/{key}";
        return Wire.Answer(View(made), StatusCodes.Status201Created);
    }

    private static async Task<IResult> RenameAsync(HttpContext http, string key, Collections library, CancellationToken ct)
    {
        if (await library.FindAsync(http.User.Scope(), key, ct) is not { } collection) return NoCollection(key);
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        var (_, name, description) = JsonFields.Read(() => Members(body.RootElement, keyed: false));
        var described = body.RootElement.TryGetProperty("description", out _) ? description : collection.Description;
        if (await library.RenameAsync(http.Actor(), key, name ?? collection.Name, described, ct) is { Problem: { } refusal }) return Refused(refusal);
        return await library.FindAsync(http.User.Scope(), key, ct) is { } after ? Wire.Answer(View(after)) : NoCollection(key);
    }

    private static async Task<IResult> DocumentsAsync(HttpContext http, string key, Collections collections, Documents library, string? q, string? sort, int? skip, int? take, CancellationToken ct)
    {
        if (await collections.FindAsync(http.User.Scope(), key, ct) is not { } collection) return NoCollection(key);
        var order = string.IsNullOrEmpty(sort) ? DocumentOrder.Newest : JsonFields.Word<DocumentOrder>("sort", sort);
        var page = await library.ListAsync(http.User.Scope(), collection.Id, new(q, order), Paging.Skip(skip), Paging.Take(take, 100, MaxPage), ct);
        return Wire.Answer(new { Documents = page.Rows, page.Total });
    }

    private static async Task<IResult> ChunksAsync(HttpContext http, long version, Documents library, int? skip, int? take, CancellationToken ct) =>
        await library.VersionAsync(http.User.Scope(), version, ct) is { } found
            ? Wire.Answer(new { Chunks = await library.ChunksAsync(http.User.Scope(), version, Paging.Skip(skip), Paging.Take(take, 100, MaxPage), ct), Total = found.Chunks })
            : Wire.Refuse(StatusCodes.Status404NotFound, $"There is no version {version} of a document.");

    private static (string? Key, string? Name, string? Description) Members(JsonElement body, bool keyed)
    {
        (string? Key, string? Name, string? Description) members = default;
        foreach (var member in body.EnumerateObject())
            switch (member.Name)
            {
                case "key" when keyed:
                    members.Key = JsonFields.Text("key", member.Value, 200);
                    break;
                case "name":
                    members.Name = JsonFields.Text("name", member.Value, 1000);
                    break;
                case "description":
                    members.Description = JsonFields.OptionalText("description", member.Value, 10_000);
                    break;
                default:
                    throw new IngestionException(ErrorCodes.InvalidOption, $"{JsonFields.Shown(member.Name)} is not known here. Known are: {(keyed ? "key, " : "")}name, description.");
            }
        return members;
    }

    private static object View(CollectionView c) => new { c.Id, c.Key, c.Name, c.Description, c.EmbeddingModel, c.CreatedAt, c.Documents, c.Chunks, c.LastPublishedAt };

    private static object View(DocumentView d, IReadOnlyList<OriginView> origins) => new
    {
        d.Id, Collection = d.CollectionKey, d.SourceType, d.SourceKey, d.CreatedAt, d.PublishedVersionId, d.PublishedAt, Versions = d.Versions.Select(View),
        Origins = origins.Select(o => new { o.ItemId, o.BatchId, o.BatchName, o.VersionId, State = o.State.Word(), o.CompletedAt }),
    };

    private static object View(VersionView v) => new
    {
        v.Id, v.DocumentId, v.Title, v.Format, v.Pages, v.Characters, v.Chunks, v.Sha256, v.Length, v.MediaType, v.FinalUrl, v.FetchedAt, v.CreatedAt, v.Notes,
        Metadata = JsonSerializer.Deserialize<JsonElement>(v.Metadata), v.ParserVersion, v.OptionsHash,
    };

    private static IResult Refused(string problem) => Wire.Refuse(StatusCodes.Status400BadRequest, problem);

    private static IResult NoCollection(string key) => Wire.Refuse(StatusCodes.Status404NotFound, $"There is no collection {JsonFields.Shown(key)}.");

    private static IResult NoDocument(long id) => Wire.Refuse(StatusCodes.Status404NotFound, $"There is no document {id}.");
}

/// <summary><c>skip</c> and <c>take</c> of a list, brought within bounds.</summary>
internal static class Paging
{
    public static int Skip(int? skip) => Math.Max(0, skip ?? 0);

    public static int Take(int? take, int usual, int most) => Math.Clamp(take ?? usual, 1, most);
}
