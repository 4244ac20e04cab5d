using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ingestion.Core.Parsing;

/// <summary>What the host asks of a worker: one JSON line.</summary>
internal sealed record ParseRequest(string Format, string Path, string Name, string? MediaType, string? Charset, string? Url, double TimeoutSeconds, long MaxMemoryBytes, long MaxCharacters, IReadOnlyList<PageSelector>? Selectors = null)
{
    public static ParseRequest For(string format, RawDocument raw, ParseLimits limits) => new(
        format, System.IO.Path.GetFullPath(raw.Path), raw.Name, raw.MediaType, raw.Charset, raw.Url?.AbsoluteUri,
        limits.Timeout.TotalSeconds, limits.MaxMemoryBytes, limits.MaxCharacters, raw.Selectors);

    public RawDocument Raw => new(Path, Name, MediaType, Charset, Url is null ? null : new Uri(Url), Selectors);

    public ParseLimits Limits => new(TimeSpan.FromSeconds(TimeoutSeconds), MaxMemoryBytes, MaxCharacters);
}

/// <summary>What a worker answers: any number of progress frames, then one with a document or an error code. A worker that is leaving ends after it.</summary>
internal sealed record ParseReply(
    ParsedDocument? Document = null, string? Error = null, string? Message = null, long? Current = null, long? Total = null, bool Last = true, bool Leaving = false);

/// <summary>Frames on a worker's output: four bytes of length, little-endian, then that much JSON.</summary>
internal static class ParseFrames
{
    private static readonly ParseJson Json = new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public static string Line(ParseRequest request) => JsonSerializer.Serialize(request, ParseJson.Default.ParseRequest) + "\n";

    public static ParseRequest? Request(string line) => JsonSerializer.Deserialize(line, ParseJson.Default.ParseRequest);

    public static void Write(Stream output, ParseReply reply)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(reply, Json.ParseReply);
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, body.Length);
        output.Write(length);
        output.Write(body);
        output.Flush();
    }

    /// <summary>The next frame. Throws <see cref="EndOfStreamException"/> where the worker is gone and <see cref="InvalidDataException"/> where it does not keep to the form.</summary>
    public static async Task<ParseReply> ReadAsync(Stream input, long most, CancellationToken ct)
    {
        var header = new byte[4];
        await input.ReadExactlyAsync(header, ct);
        var length = BinaryPrimitives.ReadInt32LittleEndian(header);
        if (length <= 0 || length > most) throw new InvalidDataException($"A frame of {length} bytes.");
        var body = new byte[length];
        await input.ReadExactlyAsync(body, ct);
        try
        {
            return JsonSerializer.Deserialize(body, Json.ParseReply) ?? throw new InvalidDataException("An empty frame.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("A frame that is not JSON.", e);
        }
    }
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ParseRequest))]
[JsonSerializable(typeof(ParseReply))]
internal sealed partial class ParseJson : JsonSerializerContext;
