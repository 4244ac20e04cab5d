namespace Ingestion.Admin.Components.Parts;

/// <summary>One step of the strip.</summary>
/// <param name="Name">The word over the count: <c>Parsed</c>.</param>
/// <param name="Done">Documents that have passed it.</param>
/// <param name="Total">Documents that will; null while that is not known.</param>
/// <param name="Active">True while a document is in it right now.</param>
/// <param name="Failed">Documents that ended in it.</param>
public sealed record StageCount(string Name, long Done, long? Total, bool Active = false, long Failed = 0)
{
    /// <summary>0 to 1; 0 while the total is not known.</summary>
    public double Share => Total is > 0 ? Math.Clamp((double)Done / Total.Value, 0, 1) : 0;

    /// <summary>Nothing is left to come: all have passed, or failed here.</summary>
    public bool IsComplete => Total is { } total && Done + Failed >= total && total > 0;
}
