using System.Text.Json;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Microsoft.AspNetCore.Http.Features;

namespace Ingestion.Admin.Api.Families;

/// <summary>A multipart form: fields as texts, and files that become uploads.</summary>
internal sealed class FamilyForm(IFormCollection form)
{
    private const int MaxFields = 100;
    private const int MaxField = 100_000;

    /// <summary>What a form may hold beside its files, in bytes.</summary>
    public const long Around = 1 << 20;

    public IReadOnlyList<IFormFile> Files => form.Files;

    /// <summary>Throws <c>invalid_option</c> where the body is no multipart form; whoever reads it disposes of nothing.</summary>
    /// <param name="largest">Bytes of the largest file.</param>
    public static async Task<FamilyForm> ReadAsync(HttpRequest request, long largest, CancellationToken ct)
    {
        if (!request.HasFormContentType) throw Invalid("Send multipart/form-data with a part named file.");
        try
        {
            return new(await request.ReadFormAsync(new FormOptions { MultipartBodyLengthLimit = largest, ValueCountLimit = MaxFields, ValueLengthLimit = MaxField, KeyLengthLimit = 200 }, ct));
        }
        catch (InvalidDataException e)
        {
            throw e.Message.Contains("body length limit", StringComparison.OrdinalIgnoreCase)
                ? new IngestionException(ErrorCodes.TooLarge, $"A file of the form has more than {largest:N0} bytes.", e)
                : new IngestionException(ErrorCodes.InvalidOption, "The body is not a well-formed multipart form.", e);
        }
    }

    /// <summary>A field as text; null where it is missing or blank.</summary>
    public string? Field(string name, int longest)
    {
        var text = form[name].ToString().Replace('\0', '\uFFFD');
        if (text.Length > longest) throw Invalid($"{name} has {text.Length:N0} characters; {longest:N0} are allowed.");
        return string.IsNullOrWhiteSpace(text) ? null : text;
    }

    /// <summary>A field that holds JSON; null where it is missing.</summary>
    public JsonElement? Json(string name)
    {
        if (Field(name, MaxField) is not { } text) return null;
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(text);
        }
        catch (JsonException e)
        {
            throw new IngestionException(ErrorCodes.InvalidOption, $"{name} must be JSON.", e);
        }
    }

    /// <summary>Throws <c>invalid_option</c> where a field is not one of these.</summary>
    public void RequireKnown(params string[] known)
    {
        if (form.Keys.FirstOrDefault(k => !known.Contains(k)) is { } stranger)
            throw Invalid($"{JsonFields.Shown(stranger)} is not known here. Known are: {string.Join(", ", known)}.");
    }

    /// <summary>Keeps a file of the form as an upload of the caller's. Throws what an upload throws.</summary>
    public static async Task<Upload> KeepAsync(UploadStore store, Actor actor, IFormFile file, string purpose, IReadOnlyDictionary<string, string>? metadata, CancellationToken ct)
    {
        var name = string.IsNullOrWhiteSpace(file.FileName) ? throw Invalid("The file has no name: send one with its part.") : file.FileName;
        var upload = await store.CreateAsync(actor, new(name, file.Length, null, purpose, file.ContentType is { Length: > 0 and <= 200 } type ? type : null, metadata), ct);
        if (upload.CompletedAt is null)
        {
            await using var content = file.OpenReadStream();
            await store.WriteAsync(actor.Scope, upload.PublicId, 0, content, ct);
        }
        return await store.FindAsync(actor.Scope, upload.PublicId, ct) ?? throw new IngestionException(ErrorCodes.MissingFile, $"{name} was removed while it was being sent.");
    }

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
