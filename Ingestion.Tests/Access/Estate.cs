using System.Text;
using Ingestion.Core.Access;
using Ingestion.Core.Artifacts;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Resolution;
using Ingestion.Core.Review;
using Ingestion.Core.Sources;
using Ingestion.Core.Webhooks;
using Ingestion.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Ingestion.Tests.Access;

/// <summary>
/// What one person owns, in a collection of its own, with a word in each name that nobody else may ever read. Each route is tried on things
/// made for that one request, so that what one caller is allowed to destroy does not hide what the next one may not see.
/// </summary>
internal sealed class Estate(IServiceProvider services, Person owner)
{
    public const string Canary = "Canary7f3aQuill";
    public const string Collection = "canary-estate";
    private readonly Database _database = services.GetRequiredService<Database>();
    private readonly Actor _actor = new(owner.TenantId, owner.Id);
    private Seeded _document = null!;
    private Seeded _pdf = null!;
    private string _webhook = "";
    private int _made;

    public async Task BuildAsync()
    {
        var seed = new LibrarySeed(_database);
        await RunAsync("INSERT INTO ingestion.collection (tenant_id, key, name) VALUES ($1, $2, $2) ON CONFLICT DO NOTHING", owner.TenantId, Collection);
        _document = await seed.DocumentAsync($"{Canary} title", [$"The {Canary} flies at dusk."], owner.TenantId, Collection, $$"""{"Who":"{{Canary}}"}""", source: $"{Canary}-{Guid.NewGuid():n}.md");
        var stored = await services.GetRequiredService<IArtifactStore>().PutAsync($"{owner.TenantId}/estate/1/normalized.md", new MemoryStream(Encoding.UTF8.GetBytes($"# {Canary}")), CancellationToken.None);
        await RunAsync("UPDATE ingestion.document_version SET markdown_uri = $1, format = 'html' WHERE id = $2", stored.ToString(), _document.Version);
        await RunAsync("UPDATE ingestion.source_version SET raw_uri = $1 WHERE tenant_id = $2 AND source_id = $3", stored.ToString(), owner.TenantId, _document.Source);
        _pdf = await seed.DocumentAsync($"{Canary} pages", [$"The {Canary} on paper."], owner.TenantId, Collection, source: $"{Canary}-{Guid.NewGuid():n}.pdf");
        var paper = await services.GetRequiredService<IArtifactStore>().PutAsync($"{owner.TenantId}/estate/2/raw.bin", new MemoryStream(PdfFile.BlankPage()), CancellationToken.None);
        await RunAsync("UPDATE ingestion.document_version SET format = 'pdf', pages = 1 WHERE id = $1", _pdf.Version);
        await RunAsync("UPDATE ingestion.source_version SET raw_uri = $1 WHERE tenant_id = $2 AND source_id = $3", paper.ToString(), owner.TenantId, _pdf.Source);
    }

    /// <summary>The address of a route with new things of the owner's in its places.</summary>
    public async Task<(string Address, bool Names)> AddressAsync(string pattern)
    {
        var address = "/" + pattern.TrimStart('/');
        var area = address.Split('/') is ["", "api", "v1", var family, ..] ? family : address.StartsWith("/v1/", StringComparison.Ordinal) ? "batches" : address.Split('/')[1];
        var names = address.Contains('{', StringComparison.Ordinal);
        foreach (var place in new[] { "{id}", "{PublicId}", "{batch}", "{item:long}", "{ItemId:long}", "{Tab}", "{Key}", "{Id:long}", "{id:long}", "{version:long}", "{page:int}", "{**name}", "{collection_id}", "{job_id:long}", "{job_id}", "{key}", "{user_id}", "{delivery}", "{Id}", "{type}", "{host}", "{Host}" })
        {
            if (!address.Contains(place, StringComparison.Ordinal)) continue;
            var value = (area, place) switch
            {
                ("review", "{Id:long}") => $"{await ReviewAsync()}",
                ("review", "{id:long}") => $"{(address.Contains("/rules/", StringComparison.Ordinal) ? await RuleAsync() : await ReviewAsync())}",
                ("review", "{id}") => (await services.GetRequiredService<BulkReviews>().StartAsync(_actor, new(Batch: "none"), ReviewActions.Approve, CancellationToken.None)).PublicId,
                ("review", "{type}") => await ListAsync(),
                (_, "{version:long}") => $"{(address.Contains("{page:int}", StringComparison.Ordinal) ? _pdf : _document).Version}",
                (_, "{page:int}") => "1",
                (_, "{Id:long}" or "{id:long}") => $"{_document.Document}",
                ("connections", "{id}" or "{Key}") => await ConnectionAsync(),
                (_, "{Key}" or "{key}" or "{collection_id}") => Collection,
                ("connections", "{Tab}") => "runs",
                ("hosts", _) => await HostAsync(),
                (_, "{job_id:long}") => $"{await ItemAsync()}",
                ("documents", "{Tab}") => "versions",
                (_, "{Tab}") => address.Contains("{ItemId", StringComparison.Ordinal) || address.Contains("/items/", StringComparison.Ordinal) ? "events" : "items",
                ("new", _) or ("drafts", _) => await BatchAsync(draft: true),
                ("batches" or "ingest" or "batch", "{id}" or "{PublicId}" or "{job_id}") => await BatchAsync(draft: false),
                (_, "{user_id}") => owner.Id,
                ("batches", _) => $"{await ScalarAsync<long>("SELECT max(id) FROM ingestion.import_item WHERE tenant_id = $1", owner.TenantId)}",
                ("uploads", _) => (await services.GetRequiredService<UploadStore>().CreateAsync(_actor, new($"{Canary}-{_made++}.txt", 5, null, UploadPurposes.File), CancellationToken.None)).PublicId,
                ("keys", _) => (await services.GetRequiredService<ApiKeys>().CreateAsync(_actor, $"{Canary} key", KeyScope.Read, null, CancellationToken.None)).View.Id,
                ("sessions", _) => await SessionAsync(),
                ("users", _) => await MemberAsync(),
                ("invitations", _) => (await services.GetRequiredService<Invitations>().CreateAsync(_actor, Canary, Role.Viewer, CancellationToken.None)).View.Id,
                ("secrets", _) => await SecretAsync(),
                ("tenants", _) => await TenantAsync(),
                ("webhooks", "{delivery}") => await DeliveryAsync(),
                ("webhooks", _) => await WebhookAsync(),
                _ => throw new InvalidOperationException($"{pattern} has {place}: say here what stands for it"),
            };
            address = address.Replace(place, value, StringComparison.Ordinal);
        }
        return (address, names);
    }

    private async Task<string> BatchAsync(bool draft)
    {
        var make = new Make(_database.Worker);
        var id = await make.Batch(draft ? BatchState.Pending : BatchState.Running, draft: draft, tenant: owner.TenantId);
        await RunAsync("""
            UPDATE ingestion.import_batch SET name = $1, created_by = $2, collection_id = (SELECT id FROM ingestion.collection WHERE tenant_id = $3 AND key = $4) WHERE id = $5
            """, $"{Canary} batch", owner.Id, owner.TenantId, Collection, id);
        var item = await make.Item(id);
        await RunAsync("UPDATE ingestion.import_item SET name = $1, document_version_id = $2 WHERE id = $3", $"{Canary} item", _document.Version, item);
        return await ScalarAsync<string>("SELECT public_id FROM ingestion.import_batch WHERE id = $1", id);
    }

    // Open, of an item that has a blocked task.
    private async Task<long> ReviewAsync()
    {
        await BatchAsync(draft: false);
        var item = await ScalarAsync<long>("SELECT max(id) FROM ingestion.import_item WHERE tenant_id = $1", owner.TenantId);
        await new Make(_database.Worker).Task(await ScalarAsync<long>("SELECT batch_id FROM ingestion.import_item WHERE id = $1", item), TaskState.Blocked, Stage.Review, item: item);
        await RunAsync("""
            INSERT INTO ingestion.item_record (item_id, tenant_id, batch_id, document_version_id, fields)
            SELECT id, tenant_id, batch_id, document_version_id, jsonb_build_array(jsonb_build_object('name', 'who', 'kind', 'text', 'state', 'given', 'found', jsonb_build_object('value', $2::text, 'source', 'name')))
            FROM ingestion.import_item WHERE id = $1
            """, item, Canary);
        return await ScalarAsync<long>("""
            INSERT INTO ingestion.review_item (tenant_id, collection_id, batch_id, item_id, state, reasons, created_at)
            SELECT i.tenant_id, b.collection_id, b.id, i.id, 'open', '{uncertain}', ingestion.clock() FROM ingestion.import_item i JOIN ingestion.import_batch b ON b.id = i.batch_id WHERE i.id = $1
            RETURNING id
            """, item);
    }

    private Task<long> RuleAsync() => ScalarAsync<long>("""
        INSERT INTO ingestion.review_rule (tenant_id, collection_id, review_id, kind, field, entity_type, value, entity, entity_name, state, version, created_by, created_at, changed_by, changed_at, reach)
        SELECT tenant_id, id, 0, 'value', 'who', 'flyer', $2 || $3, 'canary', $2, 'draft', 1, 'test', now(), 'test', now(), '{}' FROM ingestion.collection WHERE tenant_id = $1 AND key = $4
        RETURNING id
        """, owner.TenantId, Canary, $" {_made++}", Collection);

    private async Task<string> ListAsync()
    {
        await services.GetRequiredService<ReferenceLists>().LoadAsync(_actor, Collection, "flyer", [new("canary", $"{Canary} entity")], $"{Canary} note", CancellationToken.None);
        return "flyer";
    }

    private async Task<long> ItemAsync()
    {
        await BatchAsync(draft: false);
        var item = await ScalarAsync<long>("SELECT max(id) FROM ingestion.import_item WHERE tenant_id = $1", owner.TenantId);
        // Open documents have a task: whoever cancels one waits for it to be gone. Not due, so that nobody takes it meanwhile.
        await new Make(_database.Worker).Task(await ScalarAsync<long>("SELECT batch_id FROM ingestion.import_item WHERE id = $1", item), due: TimeSpan.FromHours(1), item: item);
        return item;
    }

    private async Task<string> SessionAsync()
    {
        await services.GetRequiredService<Sessions>().BeginAsync(_actor, "password", $"{Canary} browser", TimeSpan.FromHours(1), CancellationToken.None);
        return await ScalarAsync<string>("SELECT id FROM ingestion.user_session WHERE account_id = $1 ORDER BY created_at DESC LIMIT 1", owner.Id);
    }

    private async Task<string> MemberAsync()
    {
        var member = await new People(services).MakeAsync(Role.Viewer, owner.TenantId);
        await RunAsync("UPDATE ingestion.account SET name = $1 WHERE id = $2", $"{Canary} person", member.Id);
        return member.Id;
    }

    private async Task<string> SecretAsync()
    {
        var name = $"connection/{Canary}{_made++}";
        await services.GetRequiredService<SecretBox>().SetAsync(_actor, name, "value", CancellationToken.None);
        return name;
    }

    private Task<string> ConnectionAsync() => services.GetRequiredService<SourceConnections>().CreateAsync(
        _actor, new(SourceTypes.Feed, $"estate_{Guid.NewGuid():N}", $"{Canary} connection", System.Text.Json.JsonSerializer.SerializeToElement(new { address = $"https://{Canary}.example/" })), CancellationToken.None);

    private async Task<string> HostAsync()
    {
        var host = $"{Canary.ToLowerInvariant()}{Guid.NewGuid():n}.example:443";
        await RunAsync("""
            INSERT INTO ingestion.host_use (tenant_id, host, first_asked_at, last_asked_at, requests, bytes, recent)
            VALUES ($1, $2, now(), now(), 1, 1, jsonb_build_array(jsonb_build_object('at', '2026-01-15T10:30:00Z', 'path', '/' || $3, 'status', 200, 'problem', NULL, 'bytes', 1, 'milliseconds', 1)))
            """, owner.TenantId, host, Canary);
        return host;
    }

    private async Task<string> WebhookAsync()
    {
        var desk = services.GetRequiredService<WebhookDesk>();
        // A tenant has so many and no more.
        await desk.RemoveAsync(_actor, _webhook, CancellationToken.None);
        return _webhook = (await desk.CreateAsync(_actor, new("https://example.org/hook", Description: $"{Canary} webhook"), CancellationToken.None)).Id;
    }

    // Of the webhook that was made for the same address.
    private async Task<string> DeliveryAsync()
    {
        var id = (await services.GetRequiredService<WebhookDesk>().TestAsync(_actor, _webhook, CancellationToken.None))!;
        await RunAsync("UPDATE ingestion.webhook_delivery SET state = 'dead', next_at = NULL, ended_at = now(), last_error = $1 WHERE public_id = $2", Canary, id);
        return id;
    }

    private async Task<string> TenantAsync()
    {
        var id = $"estate-{_made++}";
        await services.GetRequiredService<Tenants>().CreateAsync(_actor, id, $"{Canary} tenant", CancellationToken.None);
        return id;
    }

    private Task RunAsync(string sql, params object[] parameters) => _database.Worker.QueryAsync<object>(sql, parameters);

    private async Task<T> ScalarAsync<T>(string sql, params object[] parameters) => (await _database.Worker.QueryAsync<T>(sql, parameters)).Single();
}
