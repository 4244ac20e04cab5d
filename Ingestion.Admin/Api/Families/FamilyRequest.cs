using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>What requests of the families have in common: whose they are, and how something is created.</summary>
internal static class FamilyRequest
{
    /// <summary>Largest creation, in bytes: the longest list of documents that fits in a batch.</summary>
    public const long MaxBody = 64L << 20;

    public const int MaxName = 200;
    public const int MaxDescription = 2000;

    private const int MaxKey = 200;
    private const int MaxMetadata = 100;

    /// <summary>The body as an object; throws <c>invalid_option</c> where it is none.</summary>
    public static JsonElement Object(JsonDocument? body) =>
        body is { RootElement.ValueKind: JsonValueKind.Object } json ? json.RootElement : throw Invalid("Send a JSON object.");

    /// <summary>The refusal of a user that a body names and the caller may not; null where it is fine. No user is the caller.</summary>
    public static async Task<IResult?> RefusalAsync(HttpContext http, string? user, CancellationToken ct) =>
        user is null || (http.User.Facts() is { } facts && await http.RequestServices.GetRequiredService<NamedUsers>().MayNameAsync(facts, user, ct))
            ? null
            : Wire.Refuse(StatusCodes.Status404NotFound, "There is no such user.");

    /// <summary>Creates a batch once for each <c>Idempotency-Key</c>; what refuses it otherwise.</summary>
    /// <param name="hash">SHA-256 of all that the request says.</param>
    public static async Task<(Submitted? Submitted, IResult? Refusal)> SubmitAsync(HttpContext http, SubmissionRequest request, byte[] hash, CancellationToken ct)
    {
        var key = http.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length > MaxKey) throw Invalid($"Idempotency-Key has more than {MaxKey} characters.");
        // Said now rather than by every document when it comes to be embedded.
        http.RequestServices.GetRequiredService<EmbeddingModels>().Resolve(request.Options.EmbeddingModelPreference);
        try
        {
            var submission = http.RequestServices.GetRequiredService<Submission>();
            return (await submission.SubmitAsync(http.Actor(), request, key.Length == 0 ? null : new(key, hash), ct), null);
        }
        catch (IdempotencyConflictException e)
        {
            return (null, Wire.Refuse(StatusCodes.Status422UnprocessableEntity, e.Message));
        }
    }

    /// <summary>Names and values as texts; numbers and truths are written out. Null for JSON's null.</summary>
    public static IReadOnlyDictionary<string, string>? Metadata(string name, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null) return null;
        var metadata = new Dictionary<string, string>();
        foreach (var member in JsonFields.Members(name, value))
            metadata[member.Name.Replace('\0', '\uFFFD')] = member.Value.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False
                ? member.Value.GetRawText()
                : JsonFields.Text($"{name}.{member.Name}", member.Value, 5000);
        return metadata.Count <= MaxMetadata ? metadata : throw Invalid($"{name} has more than {MaxMetadata} names.");
    }

    public static IngestionException Unknown(string name, string known) => Invalid($"{JsonFields.Shown(name)} is not known here. Known are: {known}.");

    public static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
