using System.Globalization;
using System.Text;
using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>Every document of a batch as a file: CSV for spreadsheets, JSON, or a line of JSON for each. Written while it is read.</summary>
internal sealed class ImportExport(BatchTasks tasks, Scope scope, BatchView batch)
{
    private const int MaxMetadataColumns = 200;
    private static readonly string[] Columns = ["id", "row", "title", "source_url", "status", "job_type", "attempts", "error_code", "error_message", "chunks", "created_at", "started_at", "completed_at"];

    /// <summary>A writer of the CSV, its metadata columns settled.</summary>
    public async Task<Func<Stream, Task>> CsvAsync(CancellationToken ct)
    {
        var names = await tasks.MetadataNamesAsync(scope, batch.Id, MaxMetadataColumns, ct);
        return body => WriteCsvAsync(body, names, ct);
    }

    public async Task WriteJsonAsync(Stream body, CancellationToken ct) => await JsonSerializer.SerializeAsync(body, TasksAsync(ct), Wire.Json, ct);

    public async Task WriteLinesAsync(Stream body, CancellationToken ct)
    {
        await foreach (var task in TasksAsync(ct))
        {
            await JsonSerializer.SerializeAsync(body, task, Wire.Json, ct);
            await body.WriteAsync("\n"u8.ToArray(), ct);
        }
    }

    private async Task WriteCsvAsync(Stream body, IReadOnlyList<string> names, CancellationToken ct)
    {
        // With a mark, without which a spreadsheet takes UTF-8 for its own code page.
        await using var writer = new StreamWriter(body, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true), leaveOpen: true);
        await writer.WriteAsync(Line(Columns.Concat(names.Select(n => $"metadata.{n}"))));
        await foreach (var item in tasks.AllAsync(scope, batch.Id, ct))
        {
            var task = ImportAnswers.Of(item, batch);
            await writer.WriteAsync(Line(
            [
                task.Id, Number(task.Row), task.Title, task.SourceUrl, task.Status, task.JobType, Number(task.Attempts), item.ErrorCode, item.ErrorMessage, Number(task.Chunks),
                Time(task.CreatedAt), Time(task.StartedAt), Time(task.CompletedAt),
                .. names.Select(n => task.Metadata!.Value.TryGetProperty(n, out var value) ? value.ToString() : null),
            ]));
        }
    }

    private async IAsyncEnumerable<ImportTask> TasksAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var item in tasks.AllAsync(scope, batch.Id, ct)) yield return ImportAnswers.Of(item, batch);
    }

    private static string Line(IEnumerable<string?> cells) => string.Join(',', cells.Select(CsvCell.Of)) + "\r\n";

    private static string? Number(int? value) => value?.ToString(CultureInfo.InvariantCulture);

    private static string? Time(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
