using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Ingestion.Admin.Api;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Verify;

namespace Ingestion.Admin.Cli;

/// <summary><c>ingestion verify</c>: recounts that nothing is lost and nothing is doubled. Exit code 1 where something is.</summary>
internal sealed class VerifyCommand : Command
{
    private readonly Option<bool> _json = new("--json") { Description = "Print the whole report as JSON." };
    private readonly Option<bool> _quick = new("--quick") { Description = "Compare only the lengths of stored files, not their bytes." };
    private readonly Option<bool> _repair = new("--repair") { Description = "Mend what can be mended without a decision, then look again." };

    public VerifyCommand()
        : base("verify", "Recount everything in the database and the artifact store, and report what does not add up.")
    {
        Options.Add(_json);
        Options.Add(_quick);
        Options.Add(_repair);
        SetAction(VerifyAsync);
    }

    private async Task<int> VerifyAsync(ParseResult parsed, CancellationToken ct)
    {
        await using var database = await CommandDatabase.OpenAsync([.. parsed.UnmatchedTokens], ct);
        await database.Get<Migrator>().RequireCurrentAsync(ct);
        var report = await database.Get<Verification>().RunAsync(new(parsed.GetValue(_quick), parsed.GetValue(_repair)), ct);
        var conditions = await database.Get<Conditions>().ReadAsync(ct);
        var output = parsed.InvocationConfiguration.Output;
        if (parsed.GetValue(_json)) await output.WriteLineAsync(JsonSerializer.Serialize(VerifyAnswer.Of(report, conditions), VerifyAnswer.Json));
        else await PrintAsync(output, report, conditions);
        return report.Clean ? 0 : 1;
    }

    /// <summary>A line for each check, and below it what it found; then how things stand around the data.</summary>
    internal static async Task PrintAsync(TextWriter output, VerifyReport report, IReadOnlyList<Condition> conditions)
    {
        foreach (var check in report.Checks)
        {
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{check.Invariant}  {check.Name,-42} {check.Count,8} violations {check.Milliseconds,10:0.0} ms"));
            foreach (var violation in check.First) await output.WriteLineAsync($"      {violation.Subject}: {violation.Sentence}");
            if (check.Count > check.First.Count) await output.WriteLineAsync($"      and {check.Count - check.First.Count} more");
        }
        foreach (var condition in conditions)
        {
            await output.WriteLineAsync($"{condition.Name,-13} {condition.State.Word(),-8} {condition.Sentence}");
            if (condition.Remedy is { } remedy) await output.WriteLineAsync($"                       {remedy}");
        }
        foreach (var repair in report.Repairs) await output.WriteLineAsync($"Repaired: {repair}");
        foreach (var note in report.Notes) await output.WriteLineAsync($"Note: {note}");
        await output.WriteLineAsync(report.Clean ? "Clean: 0 violations." : $"{report.Violations} violations.");
    }
}
