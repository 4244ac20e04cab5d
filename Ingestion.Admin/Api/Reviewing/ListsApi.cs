using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Microsoft.AspNetCore.Mvc;

namespace Ingestion.Admin.Api.Reviewing;

/// <summary><c>/api/v1/review/collections/{key}/lists</c>: reference lists, replaced as a whole or given more spellings, by JSON or CSV; every change is a version.</summary>
internal static class ListsApi
{
    private const string Path = "/collections/{key}/lists";
    private const string OfType = $"{Path}/{{type}}";

    /// <summary>Largest list, in bytes.</summary>
    private const long MaxBody = 64L << 20;

    public static void MapLists(this RouteGroupBuilder review)
    {
        review.MapGet(Path, async (HttpContext http, string key, RecordTypes types, ReferenceLists lists, CancellationToken ct) =>
            await types.FindAsync(http.User.Scope(), key, ct) is null ? RecordsApi.NoCollection(key) : Wire.Answer(new { Lists = (await lists.ListAsync(http.User.Scope(), key, ct)).Select(View) }));
        review.MapGet(OfType, FindAsync);
        review.MapPut(OfType, LoadAsync).WithMetadata(new RequestSizeLimitAttribute(MaxBody));
        review.MapGet($"{OfType}/versions", async (HttpContext http, string key, string type, ReferenceLists lists, CancellationToken ct) =>
            await lists.VersionsAsync(http.User.Scope(), key, Plain(type), ct) is { } versions ? Wire.Answer(new { Versions = versions }) : NoList(key, type));
        review.MapPost($"{OfType}/aliases", AliasesAsync).WithMetadata(new RequestSizeLimitAttribute(MaxBody));
    }

    public static object View(ReferenceListView l) => new { l.EntityType, l.Version, l.Entities, l.LoadedBy, l.LoadedAt, l.Note };

    private static async Task<IResult> FindAsync(HttpContext http, string key, string type, ReferenceLists lists, int? version, CancellationToken ct)
    {
        var (scope, of) = (http.User.Scope(), Plain(type));
        if (await lists.VersionsAsync(scope, key, of, ct) is not { } versions) return NoList(key, type);
        var wanted = version ?? versions[0].Version;
        if (versions.All(v => v.Version != wanted)) return Wire.Refuse(StatusCodes.Status404NotFound, $"The list of {JsonFields.Shown(type)} has no version {wanted}.");
        return await lists.EntitiesAsync(scope, key, of, wanted, ct) is { } entities ? Tagged.Answer(http, new { EntityType = of, Version = wanted, Entities = entities }) : NoList(key, type);
    }

    private static async Task<IResult> LoadAsync(HttpContext http, string key, string type, RecordTypes types, ReferenceLists lists, string? note, CancellationToken ct)
    {
        if (await types.FindAsync(http.User.Scope(), key, ct) is null) return RecordsApi.NoCollection(key);
        var entities = IsTable(http.Request) ? await ReferenceTables.ReadEntitiesAsync(await TableAsync(http.Request, ct), ct) : await MembersAsync(http.Request, "entities", ReferenceJson.Entity, ct);
        await lists.LoadAsync(http.Actor(Permission.Review), key, Plain(type), entities, Note(note), ct);
        return await ViewAsync(http, key, type, lists, ct);
    }

    private static async Task<IResult> AliasesAsync(HttpContext http, string key, string type, RecordTypes types, ReferenceLists lists, string? note, CancellationToken ct)
    {
        if (await types.FindAsync(http.User.Scope(), key, ct) is null) return RecordsApi.NoCollection(key);
        if (await lists.VersionsAsync(http.User.Scope(), key, Plain(type), ct) is null) return NoList(key, type);
        var aliases = IsTable(http.Request) ? await ReferenceTables.ReadAliasesAsync(await TableAsync(http.Request, ct), ct) : await MembersAsync(http.Request, "aliases", ReferenceJson.Alias, ct);
        var (version, unknown) = await lists.AddAliasesAsync(http.Actor(Permission.Review), key, Plain(type), aliases, Note(note), ct);
        return Wire.Answer(new { Version = version, Added = aliases.Count - unknown.Count, Unknown = unknown });
    }

    private static async Task<IResult> ViewAsync(HttpContext http, string key, string type, ReferenceLists lists, CancellationToken ct) =>
        (await lists.ListAsync(http.User.Scope(), key, ct)).FirstOrDefault(l => l.EntityType == Plain(type)) is { } list ? Wire.Answer(View(list)) : NoList(key, type);

    private static bool IsTable(HttpRequest request) => request.ContentType?.StartsWith("text/", StringComparison.OrdinalIgnoreCase) is true;

    // The reader of tables looks ahead, which a request's body does not allow.
    private static async Task<MemoryStream> TableAsync(HttpRequest request, CancellationToken ct)
    {
        var table = new MemoryStream();
        await request.Body.CopyToAsync(table, ct);
        table.Position = 0;
        return table;
    }

    private static async Task<IReadOnlyList<T>> MembersAsync<T>(HttpRequest request, string name, Func<string, JsonElement, T> read, CancellationToken ct)
    {
        using var body = await AccessApi.ObjectAsync(request, ct);
        JsonFields.RequireStorable(body.RootElement);
        if (body.RootElement.EnumerateObject().Select(m => m.Name).FirstOrDefault(n => n != name) is { } other) throw ReferenceJson.Invalid($"{JsonFields.Shown(other)} is not known here. Known is: {name}.");
        return body.RootElement.TryGetProperty(name, out var list) ? JsonFields.List(name, list, read) : throw ReferenceJson.Invalid($"{name} is missing. Send it as JSON, or a table as text/csv.");
    }

    private static string? Note(string? note) => string.IsNullOrWhiteSpace(note) ? null : note.Length <= 1000 ? Plain(note.Trim()) : throw ReferenceJson.Invalid("note has more than 1000 characters.");

    // A path or query can carry U+0000, which the database takes in no text.
    private static string Plain(string text) => text.Replace('\0', '\uFFFD');

    private static IResult NoList(string key, string type) => Wire.Refuse(StatusCodes.Status404NotFound, $"The collection {JsonFields.Shown(key)} has no list of {JsonFields.Shown(type)}.");
}
