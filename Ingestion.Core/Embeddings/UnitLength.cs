namespace Ingestion.Core.Embeddings;

/// <summary>Brings vectors to length 1. Summed in double and in order, so that the processor's vector width does not show in the bits.</summary>
internal static class UnitLength
{
    /// <summary>False, and the vector unchanged, where it has no direction: all zero, or not finite.</summary>
    public static bool TryScale(Span<float> vector)
    {
        double squares = 0;
        foreach (var x in vector) squares += (double)x * x;
        if (squares == 0 || !double.IsFinite(squares)) return false;
        var length = Math.Sqrt(squares);
        foreach (ref var x in vector) x = (float)(x / length);
        return true;
    }
}
