using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Verify;

namespace Ingestion.Admin.Api;

/// <summary>A verification as programs read it, over HTTP and from the command line.</summary>
internal sealed record VerifyAnswer(
    bool Clean, long Violations, DateTimeOffset At, IReadOnlyList<VerifyAnswer.Check> Checks, IReadOnlyList<VerifyAnswer.Surrounding> Conditions, IReadOnlyList<string> Notes, IReadOnlyList<string> Repairs)
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static VerifyAnswer Of(VerifyReport report, IReadOnlyList<Condition> conditions) => new(report.Clean, report.Violations, report.At,
        [.. report.Checks.Select(c => new Check(c.Invariant, c.Name, CheckCatalog.Find(c.Name).Meaning, c.Count, Math.Round(c.Milliseconds, 1), [.. c.First]))],
        [.. conditions.Select(c => new Surrounding(c.Name, c.State.Word(), c.Sentence, c.Remedy))], report.Notes, report.Repairs);

    public sealed record Check(string Invariant, string Name, string Meaning, long Violations, double Milliseconds, IReadOnlyList<Violation> First);

    public sealed record Surrounding(string Name, string State, string Sentence, string? Remedy);
}
