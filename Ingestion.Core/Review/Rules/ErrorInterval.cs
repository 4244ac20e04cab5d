namespace Ingestion.Core.Review.Rules;

/// <summary>How often something is wrong, by what a sample shows: the share seen, and between which shares the true one lies with 95 %.</summary>
public sealed record ErrorInterval(double Rate, double Low, double High)
{
    // The quantile of the normal distribution for 95 %.
    private const double Z = 1.959964;

    /// <summary>Wilson's interval, which holds for few samples and for shares near 0. Null where nothing was looked at.</summary>
    public static ErrorInterval? Of(int wrong, int looked)
    {
        if (looked <= 0) return null;
        var (n, share) = ((double)looked, (double)wrong / looked);
        var middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n);
        var reach = Z / (1 + Z * Z / n) * Math.Sqrt(share * (1 - share) / n + Z * Z / (4 * n * n));
        return new(share, Math.Max(0, middle - reach), Math.Min(1, middle + reach));
    }
}
