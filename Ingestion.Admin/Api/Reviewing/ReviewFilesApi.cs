using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Review;
using Microsoft.AspNetCore.Mvc;

namespace Ingestion.Admin.Api.Reviewing;

/// <summary>
/// <c>/api/v1/review/export</c> writes everything that a filter finds while it is read: CSV and .xlsx for people, JSON and a line of JSON each for
/// programs. <c>/api/v1/review/import</c> takes decisions that were written into such a CSV.
/// </summary>
internal static class ReviewFilesApi
{
    /// <summary>Largest table of decisions, in bytes.</summary>
    private const long MaxTable = 16L << 20;

    public static void MapReviewFiles(this RouteGroupBuilder review)
    {
        review.MapGet("/export", ExportAsync);
        review.MapPost("/import", ImportAsync).WithMetadata(new RequestSizeLimitAttribute(MaxTable));
    }

    private static async Task<IResult> ExportAsync(HttpContext http, ReviewExports exports, [AsParameters] ReviewAsked asked, string? format, string? fields, CancellationToken ct)
    {
        var (scope, filter) = (http.User.Scope(), asked.Filter());
        string[]? wanted = string.IsNullOrWhiteSpace(fields) ? null : fields.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var reviews = exports.ReadAsync(scope, filter, ct);
        switch (format)
        {
            case null or "csv":
                var csv = await SheetAsync();
                return Results.Stream(body => WriteCsvAsync(body, csv, reviews), "text/csv; charset=utf-8", "reviews.csv");
            case "xlsx":
                var xlsx = await SheetAsync();
                return Results.Stream(body => Workbook.WriteAsync(body, xlsx.Columns, RowsAsync(xlsx, reviews, ct), ct), Workbook.MediaType, "reviews.xlsx");
            case "json":
                return Results.Stream(body => JsonSerializer.SerializeAsync(body, ObjectsAsync(reviews, wanted, ct), Wire.Json, ct), "application/json", "reviews.json");
            case "jsonl":
                return Results.Stream(body => WriteLinesAsync(body, ObjectsAsync(reviews, wanted, ct), ct), "application/x-ndjson", "reviews.jsonl");
            default:
                throw new IngestionException(ErrorCodes.InvalidOption, "format must be csv, xlsx, json or jsonl.");
        }

        async Task<ReviewSheet> SheetAsync() => new([.. (await exports.FieldsAsync(scope, filter, ct)).Where(f => wanted?.Contains(f.Name) is not false)]);
    }

    // Nothing is decided unless it is said: a table is long, and read before it is meant.
    private static async Task<IResult> ImportAsync(HttpContext http, ReviewImports imports, [FromQuery(Name = "dry_run")] bool? dryRun, CancellationToken ct)
    {
        using var table = new MemoryStream();
        await http.Request.Body.CopyToAsync(table, ct);
        table.Position = 0;
        var report = await imports.RunAsync(http.Actor(Permission.Review), table, dryRun ?? true, ct);
        return Wire.Answer(new
        {
            report.DryRun, Rows = report.Rows.Count, report.Blank, Decided = report.Count(WrittenOutcome.Decided), Already = report.Count(WrittenOutcome.Already), Conflicts = report.Count(WrittenOutcome.Conflict),
            Refused = report.Count(WrittenOutcome.Refused) + report.Count(WrittenOutcome.Unknown) + report.Count(WrittenOutcome.Invalid),
            Results = report.Rows.Select(r => new { r.Line, ReviewId = r.Review, r.Action, Outcome = r.Outcome.Word(), r.Message, r.Version }),
        });
    }

    private static async Task WriteCsvAsync(Stream body, ReviewSheet sheet, IAsyncEnumerable<ExportedReview> reviews)
    {
        // With a mark, without which a spreadsheet takes UTF-8 for its own code page.
        await using var writer = new StreamWriter(body, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true), leaveOpen: true);
        await writer.WriteAsync(Line(sheet.Columns));
        await foreach (var review in reviews) await writer.WriteAsync(Line(sheet.Row(review)));
    }

    private static string Line(IEnumerable<string?> cells) => string.Join(',', cells.Select(CsvCell.Of)) + "\r\n";

    private static async Task WriteLinesAsync(Stream body, IAsyncEnumerable<object> reviews, CancellationToken ct)
    {
        await foreach (var review in reviews)
        {
            await JsonSerializer.SerializeAsync(body, review, Wire.Json, ct);
            await body.WriteAsync("\n"u8.ToArray(), ct);
        }
    }

    private static async IAsyncEnumerable<IEnumerable<string?>> RowsAsync(ReviewSheet sheet, IAsyncEnumerable<ExportedReview> reviews, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var review in reviews.WithCancellation(ct)) yield return sheet.Row(review);
    }

    private static async IAsyncEnumerable<object> ObjectsAsync(IAsyncEnumerable<ExportedReview> reviews, string[]? wanted, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var e in reviews.WithCancellation(ct))
            yield return new
            {
                e.Review.Id, e.Review.Version, e.Review.State, BatchId = e.Review.BatchPublicId, e.Review.Collection, e.Review.ItemId, ItemState = e.ItemState.Word(), e.Review.Name, e.Review.Reasons, e.Review.Confidence,
                e.Review.Quality, WaitingSince = e.Review.BlockedFor, e.Review.DecidedBy, e.Review.DecidedAt, e.Review.DecisionReason,
                Fields = ReviewAnswers.Fields([.. e.Fields.Where(f => wanted?.Contains(f.Name) is not false)]), Decisions = ReviewAnswers.Json(e.Decisions), e.Provenance,
            };
    }
}
