using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary><c>limit</c> and <c>offset</c> of a list; each throws <c>invalid_option</c> where it is out of bounds.</summary>
internal static class FamilyPaging
{
    public static int Limit(int? limit, int usual, int most) => limit switch
    {
        null => usual,
        var n when n >= 1 && n <= most => n.Value,
        _ => throw new IngestionException(ErrorCodes.InvalidOption, $"limit must lie between 1 and {most}."),
    };

    public static int Offset(int? offset) => offset is null or >= 0 ? offset ?? 0 : throw new IngestionException(ErrorCodes.InvalidOption, "offset must not be negative.");
}
