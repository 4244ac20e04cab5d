using System.Buffers.Binary;
using System.Text.Json;

namespace Ingestion.Core.Embeddings;

/// <summary>A good answer: one vector per text, in the order of the texts, all finite and of one length.</summary>
/// <param name="Vectors">As the service sent them, not yet scaled.</param>
/// <param name="Tokens">What the service says it will charge; 0 where it does not say.</param>
internal sealed record EmbeddingReply(IReadOnlyList<float[]> Vectors, long Tokens)
{
    /// <summary>Vectors longer than this are an attack or a mistake.</summary>
    private const int MaxDimensions = 65_536;

    /// <exception cref="Pipeline.IngestionException">Whatever is missing, doubled, of another kind, or an error in the guise of a success.</exception>
    public static EmbeddingReply Parse(ReadOnlySpan<byte> json, int count, EmbeddingRefusal refusal)
    {
        try
        {
            return Read(json, count, refusal);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or OverflowException)
        {
            throw refusal.Invalid(json.TrimStart("\uFEFF \r\n\t"u8) is [(byte)'<', ..] ? "answered with a web page instead of JSON" : "answered with something that is not the expected JSON", e);
        }
    }

    private static EmbeddingReply Read(ReadOnlySpan<byte> json, int count, EmbeddingRefusal refusal)
    {
        var reader = new Utf8JsonReader(json);
        float[]?[]? vectors = null;
        long tokens = 0;
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("data"u8)) vectors = ReadData(ref reader, count, refusal);
            else if (reader.ValueTextEquals("usage"u8)) tokens = ReadUsage(ref reader);
            else if (reader.ValueTextEquals("error"u8) && reader.Read() && reader.TokenType != JsonTokenType.Null) throw refusal.FromError(json);
            else reader.Skip();
        }
        while (reader.Read())
        {
        }
        if (vectors is null) throw refusal.Invalid("answered without any vectors");
        var missing = Array.IndexOf(vectors, null);
        if (missing >= 0) throw refusal.Invalid($"answered with {vectors.Count(v => v is not null)} vectors for {count} texts");
        return new EmbeddingReply(vectors!, tokens);
    }

    private static float[]?[] ReadData(ref Utf8JsonReader reader, int count, EmbeddingRefusal refusal)
    {
        var vectors = new float[count][];
        Expect(ref reader, JsonTokenType.StartArray);
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            int? index = null;
            float[]? vector = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("index"u8) && reader.Read()) index = reader.GetInt32();
                else if (reader.ValueTextEquals("embedding"u8) && reader.Read()) vector = ReadVector(ref reader, refusal);
                else reader.Skip();
            }
            if (vector is null) throw refusal.Invalid("answered with an entry that has no vector");
            if (index is not { } at) throw refusal.Invalid("answered with a vector that does not say which text it belongs to");
            if (at < 0 || at >= count) throw refusal.Invalid($"answered with a vector for text {at}, of {count} that were sent");
            if (vectors[at] is not null) throw refusal.Invalid($"answered with two vectors for text {at}");
            vectors[at] = vector;
        }
        return reader.TokenType == JsonTokenType.EndArray ? vectors : throw new JsonException();
    }

    private static float[] ReadVector(ref Utf8JsonReader reader, EmbeddingRefusal refusal)
    {
        var vector = reader.TokenType == JsonTokenType.String ? FromBytes(reader.GetBytesFromBase64(), refusal) : FromNumbers(ref reader, refusal);
        if (vector.Length == 0) throw refusal.Invalid("answered with an empty vector");
        foreach (var x in vector)
            if (!float.IsFinite(x)) throw refusal.Invalid("answered with a vector that holds a value that is not a finite number");
        return vector;
    }

    private static float[] FromNumbers(ref Utf8JsonReader reader, EmbeddingRefusal refusal)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException();
        var numbers = new List<float>(1536);
        while (reader.Read() && reader.TokenType == JsonTokenType.Number)
        {
            if (numbers.Count == MaxDimensions) throw refusal.Invalid($"answered with a vector of more than {MaxDimensions} dimensions");
            numbers.Add(reader.GetSingle());
        }
        return reader.TokenType == JsonTokenType.EndArray ? [.. numbers] : throw new JsonException();
    }

    private static float[] FromBytes(byte[] bytes, EmbeddingRefusal refusal)
    {
        if (bytes.Length % sizeof(float) != 0) throw refusal.Invalid("answered with a vector that is cut in the middle of a number");
        if (bytes.Length > MaxDimensions * sizeof(float)) throw refusal.Invalid($"answered with a vector of more than {MaxDimensions} dimensions");
        var vector = new float[bytes.Length / sizeof(float)];
        for (var i = 0; i < vector.Length; i++) vector[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * sizeof(float)));
        return vector;
    }

    private static long ReadUsage(ref Utf8JsonReader reader)
    {
        reader.Read();
        long tokens = 0;
        if (reader.TokenType != JsonTokenType.StartObject) return tokens;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var wanted = reader.ValueTextEquals("total_tokens"u8);
            reader.Read();
            if (wanted && reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var n) && n > 0) tokens = n;
            else reader.Skip();
        }
        return tokens;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token)
    {
        if (!reader.Read() || reader.TokenType != token) throw new JsonException();
    }
}
