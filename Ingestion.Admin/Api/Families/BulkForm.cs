using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Settings;
using Ingestion.Core.Sources;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Ingestion.Admin.Api.Families;

/// <summary>
/// A submission as a form: a part <c>items</c> with the JSON, and a part for each file, which an item names by the part's name or by its
/// file name. Each file goes to disk as it comes; where the submission is refused, it is removed again.
/// </summary>
internal sealed class BulkForm : IAsyncDisposable
{
    /// <summary>Bytes of a whole form beside its files.</summary>
    public const long Overhead = 8L << 20;

    private const string Items = "items";
    private const int MostFiles = 100;
    private const int MaxJson = 4 << 20;

    private readonly HttpContext _http;
    private readonly UploadStore _uploads;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Dictionary<string, string> _files = new(StringComparer.Ordinal);
    private readonly List<string> _stored = [];
    private byte[] _items = [];
    private bool _kept;

    private BulkForm(HttpContext http, UploadStore uploads) => (_http, _uploads) = (http, uploads);

    /// <summary>Ids of the stored files, by the names that an item may call them.</summary>
    public IReadOnlyDictionary<string, string> Files => _files;

    /// <summary>The JSON part.</summary>
    public JsonDocument Json => Parse(_items);

    /// <summary>SHA-256 of what the form says, whatever marks the borders of its parts.</summary>
    public byte[] Hash => _hash.GetCurrentHash();

    public static bool Is(HttpRequest request) => request.ContentType?.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) is true;

    public static async Task<BulkForm> ReadAsync(HttpContext http, CancellationToken ct)
    {
        var border = MediaTypeHeaderValue.TryParse(http.Request.ContentType, out var type) ? HeaderUtilities.RemoveQuotes(type.Boundary).Value : null;
        if (string.IsNullOrEmpty(border) || border.Length > 200) throw FamilyRequest.Invalid("The form names no boundary.");
        var form = new BulkForm(http, http.RequestServices.GetRequiredService<UploadStore>());
        try
        {
            var reader = new MultipartReader(border, http.Request.Body) { HeadersLengthLimit = 16 << 10 };
            while (await reader.ReadNextSectionAsync(ct) is { } part) await form.TakeAsync(part, ct);
            return form._items.Length > 0 ? form : throw FamilyRequest.Invalid("The form has no part items: the JSON array of what to ingest.");
        }
        catch (Exception e)
        {
            await form.DisposeAsync();
            if (e is InvalidDataException || e.GetType() == typeof(IOException)) throw FamilyRequest.Invalid("The form is not well formed.");
            throw;
        }
    }

    /// <summary>The files belong to a batch now.</summary>
    public void Keep() => _kept = true;

    public async ValueTask DisposeAsync()
    {
        _hash.Dispose();
        if (_kept) return;
        foreach (var id in _stored) await _uploads.RemoveAsync(_http.Actor(), id, CancellationToken.None);
    }

    private async Task TakeAsync(MultipartSection part, CancellationToken ct)
    {
        if (!ContentDispositionHeaderValue.TryParse(part.ContentDisposition, out var disposition)) throw FamilyRequest.Invalid("A part of the form has no name.");
        var name = HeaderUtilities.RemoveQuotes(disposition.Name).Value ?? "";
        var file = HeaderUtilities.RemoveQuotes(disposition.FileNameStar).Value ?? HeaderUtilities.RemoveQuotes(disposition.FileName).Value;
        if (name == Items && string.IsNullOrEmpty(file))
        {
            _items = await JsonAsync(part.Body, ct);
            Note(Items, SHA256.HashData(_items));
            return;
        }
        if (string.IsNullOrEmpty(file)) throw FamilyRequest.Unknown(name, "items, and files");
        if (_stored.Count == MostFiles) throw FamilyRequest.Invalid($"The form has more than {MostFiles} files; send them to /api/v1/uploads first.");
        var id = await StoreAsync(file, part, name, ct);
        foreach (var known in new[] { name, file })
            if (known.Length > 0) _files.TryAdd(known, id);
    }

    // The length of a part is known at its end, and the store wants it first.
    private async Task<string> StoreAsync(string file, MultipartSection part, string name, CancellationToken ct)
    {
        var folder = _http.RequestServices.GetRequiredService<DataDirectory>().Private("work");
        await using var spool = new FileStream(Path.Combine(folder, "form-" + Guid.NewGuid().ToString("n")), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 0, FileOptions.DeleteOnClose | FileOptions.Asynchronous);
        await SpoolAsync(UploadPath.Clean(file), part.Body, spool, ct);
        spool.Position = 0;
        Note($"{name}/{file}", await SHA256.HashDataAsync(spool, ct));
        spool.Position = 0;
        var actor = _http.Actor();
        var upload = await _uploads.CreateAsync(actor, new(file, spool.Length, null, UploadPurposes.File, part.ContentType is { Length: <= 200 } type ? type : null), ct);
        _stored.Add(upload.PublicId);
        if (spool.Length > 0) await _uploads.WriteAsync(_http.User.Scope(), upload.PublicId, 0, spool, ct);
        return upload.PublicId;
    }

    private async Task SpoolAsync(string path, Stream from, FileStream to, CancellationToken ct)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            for (int n; (n = await from.ReadAsync(buffer, ct)) > 0;)
            {
                _uploads.RequireSize(path, to.Position + n);
                await WriteAsync(to, buffer.AsMemory(0, n), ct);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task WriteAsync(FileStream to, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        try
        {
            await to.WriteAsync(bytes, ct);
        }
        catch (IOException e)
        {
            throw new IngestionException(ErrorCodes.StorageFull, "There is no space left for uploads.", e);
        }
    }

    private void Note(string name, byte[] hash)
    {
        _hash.AppendData(Encoding.UTF8.GetBytes(name));
        _hash.AppendData([0]);
        _hash.AppendData(hash);
    }

    private static async Task<byte[]> JsonAsync(Stream body, CancellationToken ct)
    {
        using var bytes = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int n; (n = await body.ReadAsync(buffer, ct)) > 0;)
        {
            if (bytes.Length + n > MaxJson) throw new IngestionException(ErrorCodes.TooLarge, $"items has more than {MaxJson:N0} bytes.");
            bytes.Write(buffer, 0, n);
        }
        return bytes.ToArray();
    }

    private static JsonDocument Parse(byte[] bytes)
    {
        try
        {
            return JsonDocument.Parse(bytes);
        }
        catch (JsonException e)
        {
            throw new IngestionException(ErrorCodes.InvalidOption, $"items is not JSON: line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.", e);
        }
    }
}
