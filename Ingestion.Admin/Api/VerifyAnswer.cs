using System.Text.Json;
using Ingestion.Core.Pipeline.Verify;

namespace Ingestion.Admin.Api;

/// <summary>A verification as programs read it, over HTTP and from the command line.</summary>
internal sealed record VerifyAnswer(
    bool Clean, long Violations, DateTimeOffset At, IReadOnlyList<VerifyAnswer.Check> Checks, IReadOnlyList<string> Notes, IReadOnlyList<string> Repairs)
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static VerifyAnswer Of(VerifyReport report) => new(report.Clean, report.Violations, report.At,
        [.. report.Checks.Select(c => new Check(c.Invariant, c.Name, c.Count, Math.Round(c.Milliseconds, 1), [.. c.First]))], report.Notes, report.Repairs);

    public sealed record Check(string Invariant, string Name, long Violations, double Milliseconds, IReadOnlyList<Violation> First);
}
