using Ingestion.Core.Pipeline.Verify;
using Ingestion.Tests.Support;
using Npgsql;

namespace Ingestion.Tests.Review;

/// <summary>The product's own checks of items, attempts, the log and percentages, over rows that no file stands behind.</summary>
internal static class Rows
{
    public static async Task<IReadOnlyList<string>> ProblemsAsync(NpgsqlDataSource worker)
    {
        var problems = new List<string>();
        await using var connection = await worker.OpenConnectionAsync();
        foreach (var check in (Check[])[.. ItemChecks.All, .. LogChecks.All, .. AttemptChecks.All.Where(c => c.Invariant == "I4"), .. PercentageChecks.All])
            problems.AddRange((await connection.QueryAsync<string>($"SELECT sentence FROM ({check.Sql}) x")).Select(s => $"{check.Name}: {s}"));
        problems.AddRange((await PercentageChecks.FormulaAsync(connection, CancellationToken.None)).Select(v => v.Sentence));
        return problems;
    }
}
