using System.Globalization;
using System.Text;
using System.Text.Json;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;

namespace Ingestion.Admin.Api;

/// <summary><c>/api/v1/audit</c>: the tenant's audit log in pages, and all of it as a file for a spreadsheet or a program.</summary>
internal static class AuditApi
{
    private static readonly string[] Columns = ["id", "at", "who", "person", "action", "target", "reason", "address", "data"];

    public static void MapAudit(this RouteGroupBuilder api)
    {
        api.MapGet("/audit", ListAsync);
        api.MapGet("/audit/export", ExportAsync);
    }

    private static async Task<IResult> ListAsync(HttpContext http, AuditQueries audit, [AsParameters] Asked asked, int? skip, int? take, CancellationToken ct)
    {
        var page = await audit.ListAsync(http.User.TenantId(), asked.ToFilter(), Math.Max(0, skip ?? 0), Math.Clamp(take ?? 100, 1, 1000), ct);
        return Wire.Answer(new { Entries = page.Rows.Select(View), page.Total });
    }

    private static IResult ExportAsync(HttpContext http, AuditQueries audit, [AsParameters] Asked asked, string? format, CancellationToken ct)
    {
        var entries = audit.AllAsync(http.User.TenantId(), asked.ToFilter(), ct);
        return format == "json"
            ? Results.Stream(body => WriteJsonAsync(body, entries), "application/json", "audit.json")
            : Results.Stream(body => WriteCsvAsync(body, entries), "text/csv; charset=utf-8", "audit.csv");
    }

    private static async Task WriteCsvAsync(Stream body, IAsyncEnumerable<AuditView> entries)
    {
        await using var writer = new StreamWriter(body, new UTF8Encoding(encoderShouldEmitUTF8Identifier: true), leaveOpen: true);
        await writer.WriteAsync(string.Join(',', Columns) + "\r\n");
        await foreach (var e in entries)
            await writer.WriteAsync(string.Join(',', new[] { e.Id.ToString(CultureInfo.InvariantCulture), Time(e.At), e.Who, e.Person, e.Action, e.Target, e.Reason, e.Address, e.Data }.Select(CsvCell.Of)) + "\r\n");
    }

    private static Task WriteJsonAsync(Stream body, IAsyncEnumerable<AuditView> entries) => JsonSerializer.SerializeAsync(body, entries.Select(View), Wire.Json);

    private static object View(AuditView e) => new
    {
        e.Id, e.At, e.Who, e.Person, e.Action, e.Target, e.Reason, e.Address, Data = e.Data is { } data ? JsonSerializer.Deserialize<JsonElement>(data) : (JsonElement?)null,
    };

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    internal sealed record Asked
    {
        public string? Who { get; init; }
        public string? Action { get; init; }
        public string? Q { get; init; }
        public DateTimeOffset? From { get; init; }
        public DateTimeOffset? To { get; init; }

        // A query can carry U+0000, which the database takes in no text.
        public AuditFilter ToFilter() => new(Plain(Who), Plain(Action), Plain(Q), From?.ToUniversalTime(), To?.ToUniversalTime());

        private static string? Plain(string? text) => text?.Replace('\0', '\uFFFD');
    }
}

/// <summary>A value as a cell of a CSV file that a spreadsheet opens: never a formula, whatever strangers wrote.</summary>
internal static class CsvCell
{
    // Full-width signs too: some programs take them for the plain ones.
    private const string Formula = "=+-@\t\r＝＋－＠";

    public static string Of(string? value)
    {
        if (string.IsNullOrEmpty(value)) return "";
        var text = Formula.Contains(value.TrimStart(' ', '"', '\'', '\u00A0').FirstOrDefault(value[0])) ? "'" + value : value;
        return text.AsSpan().ContainsAny(",\"\r\n'") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }
}
