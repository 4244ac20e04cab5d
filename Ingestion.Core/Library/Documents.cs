using System.Text.Json;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace Ingestion.Core.Library;

/// <summary>Documents as readers and operators see them, one tenant at a time.</summary>
public sealed class Documents(Database database, Contexts contexts)
{
    /// <summary>A collection's documents, a page of them, with how many match.</summary>
    public async Task<Page<DocumentRow>> ListAsync(Scope scope, long collectionId, DocumentFilter filter, int skip, int take, CancellationToken ct)
    {
        const string from = """
            FROM ingestion.document d
            JOIN ingestion.source s ON s.id = d.source_id
            LEFT JOIN LATERAL (
                SELECT p.document_version_id, p.published_at FROM ingestion.publication p
                WHERE p.document_id = d.id AND p.revoked_at IS NULL ORDER BY p.id DESC LIMIT 1
            ) l ON true
            JOIN LATERAL (
                SELECT x.* FROM ingestion.document_version x
                WHERE x.document_id = d.id ORDER BY (x.id = l.document_version_id) DESC NULLS LAST, x.id DESC LIMIT 1
            ) v ON true
            WHERE d.collection_id = @collection AND (@text IS NULL OR v.title ILIKE @text OR s.source_key ILIKE @text)
            """;
        var rows = $"""
            SELECT d.id, v.title, s.source_type, s.source_key, v.format, v.characters, v.chunk_count,
                   (SELECT count(*)::int FROM ingestion.document_version n WHERE n.document_id = d.id), l.published_at
            {from}
            ORDER BY {OrderBy(filter.Order)}
            LIMIT @take OFFSET @skip
            """;
        await using var connection = await database.OpenWebAsync(scope, ct);
        await using var count = Command($"SELECT count(*)::int {from}");
        var total = (int)(await count.ExecuteScalarAsync(ct))!;
        await using var command = Command(rows);
        await using var r = await command.ExecuteReaderAsync(ct);
        var found = new List<DocumentRow>();
        while (await r.ReadAsync(ct))
            found.Add(new(r.GetInt64(0), r.GetString(1), r.GetString(2), r.GetString(3), r.GetString(4), r.GetInt32(5), r.GetInt32(6), r.GetInt32(7),
                r.IsDBNull(8) ? null : r.GetFieldValue<DateTimeOffset>(8)));
        return new(found, total);

        NpgsqlCommand Command(string sql) => new(sql, connection)
        {
            Parameters =
            {
                new("collection", collectionId), new("take", take), new("skip", skip),
                new("text", NpgsqlDbType.Text) { Value = string.IsNullOrWhiteSpace(filter.Text) ? DBNull.Value : $"%{Like(filter.Text.Trim())}%" },
            },
        };
    }

    /// <summary>A document with its versions, newest first; null where there is none.</summary>
    public async Task<DocumentView?> FindAsync(Scope scope, long documentId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var document = await (
            from d in db.Documents
            join s in db.Sources on d.SourceId equals s.Id
            join c in db.Collections on d.CollectionId equals c.Id
            where d.Id == documentId
            let live = db.Publications.Where(p => p.DocumentId == d.Id && p.RevokedAt == null).OrderByDescending(p => p.Id).FirstOrDefault()
            select new DocumentView(d.Id, c.Key, c.Name, s.SourceType, s.SourceKey, d.CreatedAt,
                live == null ? null : live.DocumentVersionId, live == null ? null : live.PublishedAt, new VersionView[0])).FirstOrDefaultAsync(ct);
        return document is null ? null : document with { Versions = await VersionsAsync(db, db.DocumentVersions.Where(v => v.DocumentId == documentId), ct) };
    }

    public async Task<VersionView?> VersionAsync(Scope scope, long versionId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return (await VersionsAsync(db, db.DocumentVersions.Where(v => v.Id == versionId), ct)) is [var one] ? one : null;
    }

    public async Task<IReadOnlyList<ChunkView>> ChunksAsync(Scope scope, long versionId, int skip, int take, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        // By number, not by offset: numbers run from 0 without gaps, and the index then reads only what is shown.
        return await db.Chunks.Where(c => c.DocumentVersionId == versionId && c.Ordinal >= skip && c.Ordinal < skip + take).OrderBy(c => c.Ordinal)
            .Select(c => new ChunkView(c.Id, c.Ordinal, c.HeadingPath, c.Text)).ToListAsync(ct);
    }

    /// <summary>Links in order of first appearance, a page of them.</summary>
    public async Task<Page<LinkView>> LinksAsync(Scope scope, long versionId, int skip, int take, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        var links = db.DocumentLinks.Where(l => l.DocumentVersionId == versionId);
        var rows = await links.OrderBy(l => l.Ordinal).Skip(skip).Take(take).Select(l => new LinkView(l.Ordinal, l.Target, l.Text)).ToListAsync(ct);
        return new(rows, await links.CountAsync(ct));
    }

    /// <summary>The items that carried versions of the document, newest first, at most 200.</summary>
    public async Task<IReadOnlyList<OriginView>> OriginsAsync(Scope scope, long documentId, CancellationToken ct)
    {
        await using var db = contexts.For(scope);
        return await (
            from v in db.DocumentVersions
            join i in db.Items on v.Id equals i.DocumentVersionId
            join b in db.Batches on i.BatchId equals b.Id
            where v.DocumentId == documentId && b.DeletedAt == null
            orderby i.Id descending
            select new OriginView(i.Id, b.PublicId, b.Name, v.Id, i.State, i.CompletedAt)).Take(200).ToListAsync(ct);
    }

    private static async Task<IReadOnlyList<VersionView>> VersionsAsync(IngestionDb db, IQueryable<DocumentVersion> versions, CancellationToken ct)
    {
        var rows = await (
            from v in versions
            join s in db.SourceVersions on v.SourceVersionId equals s.Id
            orderby v.Id descending
            select new { v, s }).AsNoTracking().ToListAsync(ct);
        return [.. rows.Select(x => new VersionView(x.v.Id, x.v.DocumentId, x.v.Title, x.v.Format, x.v.ParserVersion, x.v.Pages, x.v.Characters, x.v.ChunkCount, x.v.OptionsHash,
            x.s.Sha256, x.s.Length, x.s.MediaType, x.s.FinalUrl, x.s.FetchedAt, x.v.CreatedAt, JsonSerializer.Deserialize<string[]>(x.v.Notes) ?? [], x.v.Metadata))];
    }

    private static string OrderBy(DocumentOrder order) => order switch
    {
        DocumentOrder.Title => "lower(v.title), d.id",
        DocumentOrder.Chunks => "v.chunk_count DESC, d.id DESC",
        DocumentOrder.Published => "l.published_at DESC NULLS LAST, d.id DESC",
        _ => "d.id DESC",
    };

    private static string Like(string text) => text.Replace("\0", "").Replace("\\", "\\\\").Replace("%", "\\%").Replace("_", "\\_");
}
