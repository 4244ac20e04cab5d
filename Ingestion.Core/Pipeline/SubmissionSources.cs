using System.Text.Json;
using Ingestion.Core.Sources;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Pipeline;

/// <summary>
/// Turns selections of sources into inputs. What makes no sense, or names what the actor has not got, throws and creates nothing; what
/// only has no connection yet is taken, and its input fails saying so.
/// </summary>
internal static class SubmissionSources
{
    private const int MaxFiles = 100_000;
    private const int MaxFileId = 8192;

    /// <summary>Adds an input for each selection, or several where one means every connection of its kind. Throws <c>invalid_option</c>.</summary>
    public static async Task AddAsync(
        NpgsqlConnection connection, Actor actor, long batchId, IReadOnlyList<SourceSelection> selections, IReadOnlyDictionary<string, JsonElement> options, CancellationToken ct)
    {
        if (selections.Count == 0) return;
        var known = await ConnectionsAsync(connection, actor, ct);
        foreach (var selection in selections)
        {
            var kind = SourceKinds.Require(selection.SourceType);
            if (kind.Word == SourceTypes.Manifest && selection.ConnectionId is not null)
            {
                await ManifestsAsync(connection, actor, batchId, kind, selection, options, known, ct);
                continue;
            }
            var spec = Spec(kind, selection, options);
            foreach (var key in Keys(kind, selection, spec, known))
                await Drafts.AddInputAsync(connection, actor, batchId, kind.Word, spec.ToJson(), ct, key);
        }
    }

    /// <summary>Named documents become items at once. Returns their number.</summary>
    public static async Task<int> ItemsAsync(NpgsqlConnection connection, long batchId, CancellationToken ct)
    {
        const string sql = """
            WITH input AS (
                UPDATE ingestion.import_input n
                SET state = 'done', completed_at = ingestion.clock(), discovered = (SELECT count(DISTINCT f)::int FROM jsonb_array_elements_text(n.spec -> 'files') f)
                WHERE n.batch_id = @batch AND n.state = 'open' AND n.source_type <> ALL (@own) AND jsonb_typeof(n.spec -> 'files') = 'array'
                RETURNING n.id, n.tenant_id, n.batch_id, n.source_type, n.connection_id, n.spec
            )
            INSERT INTO ingestion.import_item (tenant_id, batch_id, input_id, source_type, connection_id, source_key, row, name, metadata, state, stage, step, progress_current)
            SELECT n.tenant_id, n.batch_id, n.id, n.source_type, n.connection_id, f.id, 0,
                   left(coalesce(nullif(regexp_replace(f.id, '^.*/', ''), ''), f.id), 500), n.spec -> 'metadata', 'open', 'acquire', 'pending', 0
            FROM input n CROSS JOIN LATERAL jsonb_array_elements_text(n.spec -> 'files') WITH ORDINALITY AS f (id, ord)
            ORDER BY n.id, f.ord
            ON CONFLICT (batch_id, coalesce(input_id, 0), source_type, ingestion.key_hash(source_key), row) DO NOTHING
            """;
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new("batch", batchId), new("own", Own) } };
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Kinds whose inputs come with the submission itself.</summary>
    internal static readonly string[] Own = [SourceTypes.Upload, SourceTypes.Url, SourceTypes.Manifest];

    // Tables that lie in a connection's directory: each is an input of its own, as an uploaded one is.
    private static async Task ManifestsAsync(
        NpgsqlConnection connection, Actor actor, long batchId, SourceKind kind, SourceSelection selection, IReadOnlyDictionary<string, JsonElement> options,
        IReadOnlyDictionary<string, (string Kind, bool Disabled)> known, CancellationToken ct)
    {
        var key = Keys(SourceKinds.Require(SourceTypes.LocalDirectory), selection, new(), known).Single();
        var files = selection.FileIds ?? throw Invalid("Name the tables of the directory in file_ids.");
        CheckFiles(kind, files);
        var columns = SourceValues.Read("options", kind.Options, Chosen(kind, selection, options));
        if (columns.Missing.FirstOrDefault() is { } missing) throw Invalid($"options.{missing.Name} is missing: the column that holds the addresses.");
        var title = columns.Text("title_column") is { Length: > 0 } given ? given : null;
        foreach (var file in files.Distinct(StringComparer.Ordinal))
            await Drafts.AddInputAsync(connection, actor, batchId, kind.Word, JsonSerializer.Serialize(new ManifestEntry("", columns.Text("url_column"), title) { Path = file }), ct, key);
    }

    private static SourceSpec Spec(SourceKind kind, SourceSelection selection, IReadOnlyDictionary<string, JsonElement> options)
    {
        if (kind.Need == SourceNeed.Submission) throw Invalid($"'{kind.Word}' is no source to take from: give uploads, urls and manifests as such.");
        if (kind.Need == SourceNeed.Connection && selection.Source is not null) throw Invalid($"'{kind.Word}' takes no address: name a connection.");
        if (kind.Need == SourceNeed.Address && selection.Source is null && selection.ConnectionId is null) throw Invalid($"'{kind.Word}' needs an address, or a connection that has one.");
        if (selection.Source is { } address && !(Uri.TryCreate(address, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && address.StartsWith("http", StringComparison.OrdinalIgnoreCase)))
            throw Invalid($"The address of '{kind.Word}' must be a complete http or https URL.");
        if (kind.Word == SourceTypes.YouTube && selection.Source is { } place && YouTubeAddress.VideoOf(place) is null && YouTubeAddress.PlaylistOf(place) is null)
            throw Invalid($"The address of '{kind.Word}' must be that of a video or a playlist.");
        if (selection.FileIds is { } files) CheckFiles(kind, files);
        return new()
        {
            Address = selection.Source, Files = kind.Word == SourceTypes.YouTube ? selection.FileIds?.Select(f => YouTubeAddress.VideoOf(f) ?? f).ToList() : selection.FileIds, Metadata = selection.Metadata ?? new Dictionary<string, string>(),
            Options = JsonSerializer.Deserialize<JsonElement>(SourceValues.Read("options", kind.Options, Chosen(kind, selection, options)).Json),
        };
    }

    // What the selection says goes before what the batch says of the kind.
    private static JsonElement Chosen(SourceKind kind, SourceSelection selection, IReadOnlyDictionary<string, JsonElement> options) =>
        selection.Options is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } own ? own : options.GetValueOrDefault(kind.Word);

    private static void CheckFiles(SourceKind kind, IReadOnlyList<string> files)
    {
        if (kind.Need == SourceNeed.Address) throw Invalid($"'{kind.Word}' is taken as a whole: single addresses are given as urls.");
        if (files.Count == 0) throw Invalid($"The selection of '{kind.Word}' names no file. Leave the names out to take everything.");
        if (files.Count > MaxFiles) throw Invalid($"The selection of '{kind.Word}' names {files.Count:N0} files; {MaxFiles:N0} are allowed. Leave the names out to take everything.");
        if (files.Any(f => f is not { Length: > 0 and <= MaxFileId })) throw Invalid($"The selection of '{kind.Word}' has a file without a name, or with one of more than {MaxFileId:N0} characters.");
    }

    // The connections that a selection means: the named one, or every one of its kind; null stands for none, which fails when it is listed.
    private static IReadOnlyList<string?> Keys(SourceKind kind, SourceSelection selection, SourceSpec spec, IReadOnlyDictionary<string, (string Kind, bool Disabled)> known)
    {
        if (selection.ConnectionId is { } wanted)
        {
            if (!known.TryGetValue(wanted, out var found)) throw Invalid($"There is no connection '{(wanted.Length <= 80 ? wanted : wanted[..80] + "…")}'.");
            if (!Serves(kind, found.Kind)) throw Invalid($"The connection '{wanted}' is one of {found.Kind}, not of {kind.Word}.");
            if (found.Disabled) throw Invalid($"The connection '{wanted}' is switched off.");
            return [wanted];
        }
        if (kind.Need == SourceNeed.Address || (kind.Need == SourceNeed.Either && selection.Source is not null)) return [null];
        List<string?> keys = [.. known.Where(c => !c.Value.Disabled && Serves(kind, c.Value.Kind)).Select(c => c.Key).Order(StringComparer.Ordinal)];
        if (spec.Files is not null && keys.Count > 1) throw Invalid($"There are {keys.Count} connections of '{kind.Word}': name the one that has these files.");
        return keys.Count == 0 ? new string?[] { null } : keys;
    }

    private static bool Serves(SourceKind kind, string connectionKind) =>
        connectionKind == kind.Word || (kind.Word == SourceTypes.FileCatalog && SourceKinds.Catalogued.Contains(connectionKind));

    private static async Task<IReadOnlyDictionary<string, (string Kind, bool Disabled)>> ConnectionsAsync(NpgsqlConnection connection, Actor actor, CancellationToken ct)
    {
        const string sql = """
            SELECT key, kind, disabled_at IS NOT NULL FROM ingestion.connection
            WHERE tenant_id = @tenant AND deleted_at IS NULL AND (@reach IS NULL OR key = ANY (@reach))
            """;
        await using var command = new NpgsqlCommand(sql, connection)
        {
            Parameters = { new("tenant", actor.TenantId), new("reach", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = (object?)actor.Narrowing.Connections?.ToArray() ?? DBNull.Value } },
        };
        await using var r = await command.ExecuteReaderAsync(ct);
        var known = new Dictionary<string, (string, bool)>();
        while (await r.ReadAsync(ct)) known[r.GetString(0)] = (r.GetString(1), r.GetBoolean(2));
        return known;
    }

    private static IngestionException Invalid(string message) => new(ErrorCodes.InvalidOption, message);
}
