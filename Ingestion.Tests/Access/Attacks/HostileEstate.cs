using System.Text;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;
using Ingestion.Tests.Rendering;
using Ingestion.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Ingestion.Tests.Access.Attacks;

/// <summary>An installation in which strangers filled whatever a page shows with hostile texts, and the addresses of all its pages.</summary>
internal sealed class HostileEstate(IServiceProvider services, string canary)
{
    private const string Query = "q state stage code host collection returnUrl refused token who action from to page step status tab sort filter meta.x name";
    private readonly HostileLibrary _library = new(services, canary);
    private readonly NpgsqlDataSource _worker = services.GetRequiredService<Database>().Worker;
    private readonly Dictionary<string, string> _places = [];
    private string _draft = "";

    /// <summary>What a page tries to load from elsewhere would come here.</summary>
    public HostileLibrary Library => _library;

    public async Task BuildAsync()
    {
        var owner = (await _worker.QueryAsync<string>("SELECT id FROM ingestion.account WHERE owner")).Single();
        var actor = new Actor(Tenant.Default, owner);
        var (failed, item, of) = await _library.ItemAsync();
        (_places["{PublicId}"], _places["{ItemId:long}"], _places["{Key}"], _places["{Id:long}"]) = (failed, $"{item}", "hostile", $"{of.Document}");
        _places["{Host}"] = Uri.EscapeDataString(_library.Texts[0].ToLowerInvariant());
        await PipelineAsync();
        _draft = await DraftAsync(actor);
        await PeopleAsync(actor);
    }

    /// <summary>The addresses of a page; each tab of one that has tabs.</summary>
    public IEnumerable<string> Addresses(string pattern)
    {
        var address = pattern.StartsWith("/new/", StringComparison.Ordinal) ? $"/new/{_draft}" : _places.Aggregate(pattern, (a, p) => a.Replace(p.Key, p.Value, StringComparison.Ordinal));
        string[] tabs = pattern switch
        {
            "/batches/{PublicId}/{Tab}" => ["items", "failures", "events", "settings"],
            "/batches/{PublicId}/items/{ItemId:long}/{Tab}" => ["content", "chunks", "events"],
            "/documents/{Id:long}/{Tab}" => ["chunks", "links", "versions", "batches"],
            _ => [""],
        };
        foreach (var tab in tabs) yield return address.Replace("{Tab}", tab, StringComparison.Ordinal);
        if (pattern == "/new/{PublicId}")
            foreach (var step in new[] { "options", "plan" }) yield return $"{address}?step={step}";
        if (pattern == "/search") yield return "/search?q=alert+script";
    }

    /// <summary>A query that gives every name that a page might read a hostile text.</summary>
    public string HostileQuery(int from) => "?" + string.Join('&', Query.Split(' ').Select((name, i) => $"{name}={Uri.EscapeDataString(_library.Texts[(from + i) % _library.Texts.Count])}"));

    private async Task PipelineAsync()
    {
        var make = new Make(_worker);
        var line = _library.OneLine;
        foreach (var batch in new[] { await make.Batch(), await make.Batch(BatchState.Completed) })
        {
            await RunAsync("UPDATE ingestion.import_batch SET name = $2, description = $3, message = $3 WHERE id = $1", batch, line[..190], line[..1500]);
            await make.Input(batch, ItemState.Failed);
            await RunAsync("UPDATE ingestion.import_input SET error_code = 'corrupt', error_message = $2, spec = jsonb_build_object('upload', $2::text, 'url_column', $2::text) WHERE batch_id = $1", batch, line[..900]);
        }
        var open = await make.Task();
        await RunAsync("UPDATE ingestion.import_item SET name = $2, source_key = $2, progress_message = $3, metadata = $4::jsonb WHERE id = $1", open.ItemId!.Value, line[..900], line[..250], _library.Metadata);
        await RunAsync("INSERT INTO ingestion.host_budget (host, next_at, paused_until) SELECT DISTINCT t, now(), now() + interval '1 hour' FROM unnest($1) t", (object)_library.Texts.ToArray());
        await RunAsync("""
            INSERT INTO ingestion.host_use (tenant_id, host, first_asked_at, last_asked_at, requests, bytes, last_problem, recent)
            SELECT DISTINCT 'default', lower(t), now(), now(), 1, 1, t, jsonb_build_array(jsonb_build_object('at', '2026-01-15T10:30:00Z', 'path', t, 'status', NULL, 'problem', t, 'bytes', 1, 'milliseconds', 1)) FROM unnest($1) t
            ON CONFLICT DO NOTHING
            """, (object)_library.Texts.ToArray());
        await RunAsync("INSERT INTO ingestion.worker_process (id, host, pid, role, version, slots, connections, started_at, last_seen_at) SELECT DISTINCT t, t, 1, t, t, '{}'::jsonb, 1, now(), now() FROM unnest($1) t", (object)_library.Texts.Take(10).ToArray());
        await RunAsync("UPDATE ingestion.duty SET last_error = $1", line[..500]);
    }

    private async Task<string> DraftAsync(Actor actor)
    {
        var drafts = services.GetRequiredService<Drafts>();
        var store = services.GetRequiredService<UploadStore>();
        var draft = await drafts.CreateAsync(actor, new(_library.OneLine[..180]) { Description = _library.OneLine[..900], Collection = "hostile" }, CancellationToken.None);
        await drafts.SetUrlsAsync(actor, draft.BatchId, [.. _library.Texts.Select(t => new UrlEntry("https://" + t, t, new Dictionary<string, string> { [t] = t }))], CancellationToken.None);
        foreach (var text in _library.Texts.Take(20)) await store.CreateAsync(actor, new(text, 5, draft.BatchId, UploadPurposes.File), CancellationToken.None);
        var rows = string.Join("\r\n", _library.Texts.Select(t => $"{Cell(t)},{Cell(t)},{Cell("=1+1" + t)}"));
        var csv = Encoding.UTF8.GetBytes($"url,{Cell(_library.Texts[0])},{Cell(_library.Texts[2])}\r\n{rows}\r\n");
        var manifest = await store.CreateAsync(actor, new(_library.Texts[2] + ".csv", csv.Length, draft.BatchId, UploadPurposes.Manifest), CancellationToken.None);
        await store.WriteAsync(actor.Scope, manifest.PublicId, 0, new MemoryStream(csv), CancellationToken.None);
        return draft.PublicId;
    }

    private async Task PeopleAsync(Actor actor)
    {
        var name = _library.Texts[2] + _library.Texts[0] + "\"'{{7*7}}";
        await services.GetRequiredService<Invitations>().CreateAsync(actor, name, Role.Viewer, CancellationToken.None);
        await services.GetRequiredService<ApiKeys>().CreateAsync(actor, name, KeyScope.Read, null, CancellationToken.None);
        await services.GetRequiredService<Tenants>().CreateAsync(actor, "hostile", name, CancellationToken.None);
        await services.GetRequiredService<SecretBox>().SetAsync(actor, "<img/src=x/onerror=alert(1)>", "x", CancellationToken.None);
        var member = await new People(services).MakeAsync(Role.Viewer);
        foreach (var text in _library.Texts) await services.GetRequiredService<Sessions>().BeginAsync(actor, "password", text, TimeSpan.FromHours(1), CancellationToken.None);
        await using var db = services.GetRequiredService<Contexts>().Worker();
        await db.Accounts.Where(a => a.Id == actor.Name || a.Id == member.Id).ExecuteUpdateAsync(u => u.SetProperty(a => a.Name, name));
        foreach (var text in _library.Texts) db.Add(actor with { Reason = text }, "set_role", text, new { Before = text, After = new Dictionary<string, string> { [text] = text } });
        await db.SaveChangesAsync();
    }

    private static string Cell(string text) => $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    private Task RunAsync(string sql, params object[] parameters) => _worker.QueryAsync<object>(sql, parameters);
}
