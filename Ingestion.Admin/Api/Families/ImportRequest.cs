using System.Text.Json;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;

namespace Ingestion.Admin.Api.Families;

/// <summary>What creates a bulk import: a manifest from one of three places, and how it is to be read.</summary>
internal sealed record ImportRequest
{
    private const int MaxName = 200;
    private const string Known = "name, description, upload, file, url_column, title_column, collection, options, priority";

    public string? Name { get; init; }

    public string? Description { get; init; }

    /// <summary>Id of an uploaded manifest.</summary>
    public string? Upload { get; init; }

    /// <summary>Name of a manifest in the server's directory.</summary>
    public string? File { get; init; }

    /// <summary>Null: found by the header and the first rows.</summary>
    public string? UrlColumn { get; init; }

    public string? TitleColumn { get; init; }

    public string Collection { get; init; } = Core.Data.Collection.DefaultKey;

    public ProcessingOptions Options { get; init; } = new();

    public Priority Priority { get; init; } = Priority.Normal;

    /// <summary>Reads a JSON body. Throws <c>invalid_option</c> with a sentence that begins with the member's name.</summary>
    public static ImportRequest Read(JsonElement body, ProcessingOptions defaults)
    {
        var request = new ImportRequest { Options = defaults };
        foreach (var (name, value) in JsonFields.Members("The body", body).Select(m => (m.Name, m.Value)))
            request = name switch
            {
                "name" => request with { Name = JsonFields.OptionalText(name, value, MaxName) },
                "description" => request with { Description = JsonFields.OptionalText(name, value, 2000) },
                "upload" => request with { Upload = JsonFields.Text(name, value, MaxName) },
                "file" => request with { File = JsonFields.Text(name, value, 1000) },
                "url_column" => request with { UrlColumn = JsonFields.OptionalText(name, value, 1000) },
                "title_column" => request with { TitleColumn = JsonFields.OptionalText(name, value, 1000) },
                "collection" => request with { Collection = JsonFields.Text(name, value, MaxName) },
                "options" => request with { Options = ProcessingOptions.Read(value, defaults) },
                "priority" => request with { Priority = JsonFields.Word<Priority>(name, value) },
                _ => throw Invalid($"{JsonFields.Shown(name)} is not known here. Known are: {Known}."),
            };
        return request is { Upload: null, File: null } or { Upload: not null, File: not null }
            ? throw Invalid("Name the manifest: upload with the id of an uploaded CSV file, or file with its name in the server's directory.")
            : request;
    }

    /// <summary>Reads the fields beside an uploaded part.</summary>
    public static ImportRequest Read(FamilyForm form, ProcessingOptions defaults)
    {
        form.RequireKnown("name", "description", "url_column", "title_column", "collection", "options", "priority");
        return new()
        {
            Name = form.Field("name", MaxName), Description = form.Field("description", 2000), UrlColumn = form.Field("url_column", 1000), TitleColumn = form.Field("title_column", 1000),
            Collection = form.Field("collection", MaxName) ?? Core.Data.Collection.DefaultKey, Options = ProcessingOptions.Read(form.Json("options"), defaults),
            Priority = form.Field("priority", 20) is { } word ? JsonFields.Word<Priority>("priority", word) : Priority.Normal,
        };
    }

    /// <summary>Which columns of the file hold what: as asked for, else as its header and first rows say. Throws <c>invalid_manifest</c> where nothing does.</summary>
    public async Task<ManifestEntry> EntryAsync(string upload, string path, CancellationToken ct)
    {
        // An upload of no bytes has no file.
        if (!System.IO.File.Exists(path)) throw new IngestionException(ErrorCodes.InvalidManifest, "The file is empty.");
        if (UrlColumn is { } chosen) return new(upload, chosen, TitleColumn);
        await using var stream = System.IO.File.OpenRead(path);
        var preview = await ManifestReader.PreviewAsync(stream, ct);
        var guess = preview.Mapping ?? throw new IngestionException(ErrorCodes.InvalidManifest, $"No column holds addresses. Columns found: {string.Join(", ", preview.Columns.Take(20))}.");
        return new(upload, guess.UrlColumn, TitleColumn ?? guess.TitleColumn);
    }

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
