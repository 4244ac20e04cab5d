using System.Globalization;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;

namespace Ingestion.Core.Review;

/// <summary>A row of a table of decisions.</summary>
/// <param name="Line">1-based line where the row begins.</param>
/// <param name="Version">The fence: the review's version that whoever filled the row in saw.</param>
/// <param name="To">The stage that a document is sent back to.</param>
/// <param name="Picks">Entities that fields are to mean, before anything else.</param>
/// <param name="Problem">Why the row cannot be read; null where it can.</param>
public sealed record WrittenDecision(int Line, long Review, int Version, string Action, string? Reason, Stage? To, IReadOnlyList<(string Field, string Entity)> Picks, string? Problem = null);

/// <summary>
/// Decisions as a table: <c>review_id</c>, <c>version</c>, <c>decision</c> (approve, reject, send_back or pick), <c>reason</c>, <c>stage</c> for what is
/// sent back, and <c>pick.FIELD</c> with the key of an entity. Other columns are left alone, and rows without a decision too.
/// </summary>
public static class DecisionTables
{
    /// <summary>Most rows of one table.</summary>
    public const int MaxRows = 10_000;

    public const string Pick = "pick.";
    private const int LongestReason = 1000;
    private static readonly string[] Needed = ["review_id", "version", "decision"];
    private static readonly string[] Actions = [ReviewActions.Approve, ReviewActions.Reject, ReviewActions.SendBack, ReviewActions.Pick];

    /// <summary>Rows with a decision, and how many have none. Throws <c>invalid_manifest</c> where the table lacks a column or has too many rows.</summary>
    public static async Task<(IReadOnlyList<WrittenDecision> Rows, int Blank)> ReadAsync(Stream stream, CancellationToken ct)
    {
        await using var table = await DelimitedTable.OpenAsync(stream, ct);
        var (rows, blank, lines) = (new List<WrittenDecision>(), 0, new Dictionary<long, int>());
        string[]? columns = null;
        while (await table.ReadAsync(ct))
        {
            var cells = table.Cells();
            if (columns is null)
            {
                columns = [.. cells.Select(c => c.Trim())];
                foreach (var missing in Needed.Except(columns, StringComparer.OrdinalIgnoreCase)) throw Invalid($"The table has no column “{missing}”; it has {string.Join(", ", columns)}.");
                continue;
            }
            var row = Row(table.Line, columns, cells);
            if (row is null) blank++;
            else rows.Add(lines.TryAdd(row.Review, row.Line) || row.Problem is not null ? row : row with { Problem = $"Line {lines[row.Review]} decides this review already." });
            if (rows.Count > MaxRows) throw Invalid($"The table has more than {MaxRows:N0} decisions; send it in parts.");
        }
        return columns is null ? throw Invalid("The table is empty.") : (rows, blank);
    }

    // Null where nothing is decided.
    private static WrittenDecision? Row(int line, string[] columns, string[] cells)
    {
        string Cell(string column) => Array.FindIndex(columns, c => c.Equals(column, StringComparison.OrdinalIgnoreCase)) is >= 0 and var i && i < cells.Length ? cells[i].Trim() : "";
        var picks = columns.Zip(cells).Where(c => c.First.StartsWith(Pick, StringComparison.OrdinalIgnoreCase) && !string.IsNullOrWhiteSpace(c.Second)).Select(c => (c.First[Pick.Length..], c.Second.Trim())).ToList();
        var (action, reason, stage) = (Cell("decision").ToLowerInvariant(), Cell("reason"), Cell("stage").ToLowerInvariant());
        if (action.Length == 0 && picks.Count == 0) return null;
        var numbered = long.TryParse(Cell("review_id"), NumberStyles.None, CultureInfo.InvariantCulture, out var review);
        var fenced = int.TryParse(Cell("version"), NumberStyles.None, CultureInfo.InvariantCulture, out var version);
        var to = stage switch { "acquire" => Stage.Acquire, "parse" => Stage.Parse, "resolve" => Stage.Resolve, _ => (Stage?)null };
        var problem = !numbered ? "review_id is no number."
            : !fenced ? "version is no number: it is the version of the review that was exported."
            : action.Length == 0 ? "An entity is picked, and nothing decided: say pick to do no more than that, or approve."
            : !Actions.Contains(action) ? $"“{(action.Length > 50 ? action[..50] : action)}” is no decision; it is one of {string.Join(", ", Actions)}."
            : action == ReviewActions.Reject && reason.Length == 0 ? "reason is missing: say why it is rejected."
            : action == ReviewActions.SendBack && to is null ? "stage is missing: acquire, parse or resolve."
            : action == ReviewActions.Pick && picks.Count == 0 ? $"Nothing is picked: write an entity's key in a column {Pick}FIELD."
            : action is ReviewActions.Reject or ReviewActions.SendBack && picks.Count > 0 ? $"It picks an entity and says {action}."
            : reason.Length > LongestReason ? $"reason has more than {LongestReason} characters."
            : null;
        return new(line, review, version, action, reason.Length == 0 ? null : reason, to, picks, problem);
    }

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidManifest, message);
}
