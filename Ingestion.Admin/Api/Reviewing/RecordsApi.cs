using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;

namespace Ingestion.Admin.Api.Reviewing;

/// <summary><c>/api/v1/review/collections/{key}</c>: what the documents of a collection are records of, and what of them passes without a person.</summary>
internal static class RecordsApi
{
    private const string Path = "/collections/{key}";
    private const string OfType = $"{Path}/record-type";

    public static void MapRecords(this RouteGroupBuilder review)
    {
        review.MapGet(Path, async (HttpContext http, string key, RecordTypes types, ReferenceLists lists, CancellationToken ct) =>
            await ViewAsync(http, key, types, lists, ct) is { } view ? Tagged.Answer(http, view) : NoCollection(key));
        review.MapPatch(Path, PassAsync);
        review.MapPut(OfType, SetAsync);
        review.MapDelete(OfType, async (HttpContext http, string key, RecordTypes types, CancellationToken ct) =>
        {
            if (await types.FindAsync(http.User.Scope(), key, ct) is null) return NoCollection(key);
            await types.SetAsync(http.Actor(Permission.Review), key, null, ct);
            return Results.NoContent();
        });
        review.MapGet($"{OfType}/versions", async (HttpContext http, string key, RecordTypes types, CancellationToken ct) =>
            await types.FindAsync(http.User.Scope(), key, ct) is null ? NoCollection(key)
                : Wire.Answer(new { Versions = (await types.VersionsAsync(http.User.Scope(), key, ct)).Select(v => new { v.Id, v.Current, RecordType = ReviewAnswers.Json(v.Type.ToJson()), v.CreatedBy, v.CreatedAt }) }));
    }

    /// <summary>The answer to a collection that the caller has not got.</summary>
    internal static IResult NoCollection(string key) => Wire.Refuse(StatusCodes.Status404NotFound, $"There is no collection {JsonFields.Shown(key)}.");

    private static async Task<IResult> SetAsync(HttpContext http, string key, RecordTypes types, ReferenceLists lists, CancellationToken ct)
    {
        if (await types.FindAsync(http.User.Scope(), key, ct) is null) return NoCollection(key);
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        JsonFields.RequireStorable(body.RootElement);
        await types.SetAsync(http.Actor(Permission.Review), key, Parse(body.RootElement), ct);
        return await ViewAsync(http, key, types, lists, ct) is { } view ? Wire.Answer(view) : NoCollection(key);
    }

    private static async Task<IResult> PassAsync(HttpContext http, string key, RecordTypes types, ReferenceLists lists, CancellationToken ct)
    {
        if (await types.FindAsync(http.User.Scope(), key, ct) is null) return NoCollection(key);
        using var body = await AccessApi.ObjectAsync(http.Request, ct);
        if (body.RootElement.EnumerateObject().Select(m => m.Name).FirstOrDefault(n => n != "auto_accept") is { } other) throw Invalid($"{JsonFields.Shown(other)} is not known here. Known is: auto_accept.");
        if (!body.RootElement.TryGetProperty("auto_accept", out var pass)) throw Invalid("auto_accept is missing: true lets rows of manifests that are sure enough pass without a person.");
        await types.SetAutoAcceptAsync(http.Actor(Permission.Review), key, JsonFields.Flag("auto_accept", pass), ct);
        return await ViewAsync(http, key, types, lists, ct) is { } view ? Wire.Answer(view) : NoCollection(key);
    }

    private static async Task<object?> ViewAsync(HttpContext http, string key, RecordTypes types, ReferenceLists lists, CancellationToken ct) => await types.FindAsync(http.User.Scope(), key, ct) is { } records
        ? new
        {
            Collection = key, records.AutoAccept, RecordType = records.Type is { } type ? ReviewAnswers.Json(type.ToJson()) : (JsonElement?)null,
            Lists = (await lists.ListAsync(http.User.Scope(), key, ct)).Select(ListsApi.View),
        }
        : null;

    private static RecordType Parse(JsonElement body)
    {
        try
        {
            return RecordType.Parse(body.GetRawText());
        }
        catch (JsonException e)
        {
            throw new IngestionException(ErrorCodes.InvalidOption, $"{(e.Path is { Length: > 2 } at ? JsonFields.Shown(at.TrimStart('$', '.')) : "The body")} does not fit into a record type.", e);
        }
    }

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
