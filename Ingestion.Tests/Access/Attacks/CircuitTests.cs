using System.Text.RegularExpressions;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Browser;
using Ingestion.Tests.Support;
using Microsoft.AspNetCore.Components.Server;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.JSInterop;
using Microsoft.Playwright;
using Shouldly;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Ingestion.Tests.Access.Attacks;

/// <summary>What a browser that is in the hands of a stranger can do to the server over its live connection.</summary>
public sealed class CircuitTests
{
    // Takes hold of what the page's own script talks to the server with.
    private const string Grip = """
        let blazor;
        Object.defineProperty(window, 'Blazor', { configurable: true, get: () => blazor, set: value => {
            blazor = value;
            const attach = value._internal?.attachWebRendererInterop;
            if (attach) value._internal.attachWebRendererInterop = (id, interop, ...rest) => { window.renderer = interop; return attach(id, interop, ...rest); };
        }});
        const Plain = WebSocket;
        window.WebSocket = class extends Plain { constructor(...a) { super(...a); window.live = this; } };
        """;

    [BrowserFact]
    public async Task Thousand_clicks_do_the_thing_once_and_the_page_goes_on()
    {
        await using var app = await BrowserApp.StartAsync();
        var worker = app.Services.GetRequiredService<Database>().Worker;
        var batch = await new Make(worker).Batch(BatchState.Pending);
        var id = (await worker.QueryAsync<string>("SELECT public_id FROM ingestion.import_batch WHERE id = $1", batch)).Single();
        await app.OpenAsync($"/batches/{id}");
        var start = app.Page.Locator("[data-act=Start]");
        await Expect(start).ToBeVisibleAsync();
        await start.EvaluateAsync("b => { for (let i = 0; i < 1000; i++) b.click(); }");
        await Eventually.IsAsync(async () => (await worker.QueryAsync<long>("SELECT count(*) FROM ingestion.import_event WHERE batch_id = $1 AND kind IN ('batch_started', 'batch_completed')", batch)).Single() > 0, "it was started");
        await app.OpenAsync("/batches");
        await Expect(app.Page.Locator("h1")).ToBeVisibleAsync();
        (await worker.QueryAsync<long>("SELECT count(*) FROM ingestion.audit_entry WHERE action = 'start'")).Single().ShouldBe(1, "who pressed a thousand times asked once");
        app.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Events_and_calls_that_nobody_offered_reach_nothing()
    {
        await using var app = await BrowserApp.StartAsync();
        await app.Page.AddInitScriptAsync(Grip);
        await app.OpenAsync("/keys");
        var taken = new List<string>();
        foreach (var call in new[]
        {
            "DotNet.invokeMethodAsync('ingestion', 'CreateAsync')", "DotNet.invokeMethodAsync('Ingestion.Core', 'RevokeAsync', 'x')",
            "DotNet.invokeMethodAsync('System.Private.CoreLib', 'Exit', 1)", "DotNet.invokeMethodAsync('Microsoft.AspNetCore.Components', 'NotifyLocationChanged', 'javascript:alert(1)')",
            "window.renderer.invokeMethodAsync('DispatchEventAsync', { eventHandlerId: 999999, eventName: 'click', eventFieldInfo: null }, { type: 'click' })",
            "window.renderer.invokeMethodAsync('Dispose')", "window.renderer.invokeMethodAsync('LoadAsync')",
        })
            if (await app.Page.EvaluateAsync<bool>($"async () => {{ try {{ await Promise.race([{call}, new Promise((_, no) => setTimeout(() => no('silence'), 3000))]); return true; }} catch {{ return false; }} }}")) taken.Add(call);
        taken.ShouldBeEmpty();
        await app.OpenAsync("/batches");
        await Expect(app.Page.Locator("h1")).ToBeVisibleAsync();
    }

    [BrowserTheory]
    [InlineData("live.send(new Uint8Array([1, 2, 3, 255, 254, 0, 0, 7]))")]
    [InlineData("live.send('{\"type\":1,\"target\":\"StartCircuit\",\"arguments\":[\"http://evil.example/\",\"http://evil.example/\",\"[]\",\"\"]}\\u001e')")]
    [InlineData("live.send(new Uint8Array(200000))")]
    [InlineData("for (let i = 0; i < 200; i++) live.send(new Uint8Array(1000).fill(i))")]
    public async Task Rubbish_on_one_connection_ends_that_connection_and_no_other(string rubbish)
    {
        await using var app = await BrowserApp.StartAsync();
        await using var others = await app.Page.Context.Browser!.NewContextAsync(new() { BaseURL = new Uri(app.Page.Url).GetLeftPart(UriPartial.Authority), StorageState = await app.Page.Context.StorageStateAsync() });
        var other = await others.NewPageAsync();
        await other.GotoAsync("/batches");
        await Expect(other.Locator("#ready")).ToHaveAttributeAsync("data-interactive", "true");
        await other.EvaluateAsync("window.neverReloaded = true");
        await app.Page.AddInitScriptAsync(Grip);
        await app.OpenAsync("/batches");
        await app.Page.EvaluateAsync("() => { " + rubbish + " }");
        await app.Page.WaitForFunctionAsync("() => live.readyState >= 2 || document.readyState === 'complete'");
        await other.Locator(".side-nav a[href='/collections']").ClickAsync();
        await Expect(other.Locator("h1")).ToContainTextAsync("Collections");
        (await other.EvaluateAsync<bool>("window.neverReloaded")).ShouldBeTrue("the other window's connection is as it was");
        // The program is well, and the window itself comes back with a connection of its own.
        await app.OpenAsync("/batches");
        await Expect(app.Page.Locator("h1")).ToBeVisibleAsync();
    }

    [BrowserFact]
    public async Task Signing_out_in_one_window_shows_the_others_out()
    {
        await using var app = await BrowserApp.StartAsync();
        var second = await app.Page.Context.NewPageAsync();
        await second.GotoAsync("/users");
        await Expect(second.Locator("#ready")).ToHaveAttributeAsync("data-interactive", "true");
        await app.OpenAsync("/");
        await app.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();
        // The window that signs out may be told of it before its own way there is done.
        await app.Page.WaitForURLAsync(new Regex("/sign-in(\\?|$)", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1)));
        await second.WaitForURLAsync("**/sign-in?*");
    }

    [Fact]
    public void Nothing_can_be_called_without_an_object_that_a_page_has_handed_out()
    {
        var methods = new[] { typeof(Program).Assembly, typeof(Database).Assembly }.SelectMany(a => a.GetTypes())
            .SelectMany(t => t.GetMethods(System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.DeclaredOnly))
            .Where(m => m.GetCustomAttributes(typeof(JSInvokableAttribute), false).Length > 0).ToList();
        methods.Where(m => m.IsStatic).Select(m => $"{m.DeclaringType!.Name}.{m.Name}").ShouldBeEmpty("whoever has a page could call these");
        methods.Select(m => m.DeclaringType!.Name).Distinct().Order().ShouldBe(["AddressesCard", "FilesCard", "ManifestsCard"], false, "a page that hands out an object says here that it does");
    }

    [Fact]
    public async Task Circuits_are_bounded()
    {
        await using var app = new Admin.AdminApp();
        var circuits = app.Services.GetRequiredService<IOptions<CircuitOptions>>().Value;
        (circuits.DetailedErrors, circuits.DisconnectedCircuitMaxRetained, circuits.DisconnectedCircuitRetentionPeriod, circuits.MaxBufferedUnacknowledgedRenderBatches, circuits.JSInteropDefaultCallTimeout)
            .ShouldBe((false, 100, TimeSpan.FromMinutes(3), 10, TimeSpan.FromMinutes(1)));
        var hub = app.Services.GetRequiredService<IOptions<HubOptions>>().Value;
        (hub.MaximumReceiveMessageSize, hub.EnableDetailedErrors ?? false).ShouldBe((32L << 10, false));
    }
}
