using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Ingestion.Core.Indexing;

/// <summary>Vectors as the database keeps them: float32, little-endian, nothing before, between or after.</summary>
public static class VectorSearchBytes
{
    /// <summary>The bytes to store, four per float.</summary>
    public static byte[] ToBytes(ReadOnlySpan<float> vector)
    {
        var bytes = new byte[vector.Length * sizeof(float)];
        if (BitConverter.IsLittleEndian) MemoryMarshal.AsBytes(vector).CopyTo(bytes);
        else for (var i = 0; i < vector.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
        return bytes;
    }

    /// <summary>The floats in the bytes: the same memory on little-endian processors, a converted copy elsewhere.</summary>
    /// <exception cref="ArgumentException">The bytes end in the middle of a float.</exception>
    public static ReadOnlySpan<float> ToFloats(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length % sizeof(float) != 0) throw new ArgumentException($"{bytes.Length} bytes are not a whole number of floats.", nameof(bytes));
        if (BitConverter.IsLittleEndian) return MemoryMarshal.Cast<byte, float>(bytes);
        var floats = new float[bytes.Length / sizeof(float)];
        for (var i = 0; i < floats.Length; i++) floats[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * sizeof(float))..]);
        return floats;
    }
}
