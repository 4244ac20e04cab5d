using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Ingestion.Admin.Access;
using Ingestion.Tests.Browser;
using Microsoft.Playwright;
using Shouldly;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Ingestion.Tests.Access.Attacks;

/// <summary>Every page there is in a real browser, over an installation that strangers filled with hostile texts.</summary>
public sealed class XssTests
{
    [BrowserFact]
    public async Task No_page_runs_loads_or_sends_anything_for_a_stranger()
    {
        using var canary = new TcpListener(IPAddress.Loopback, 0);
        canary.Start();
        await using var app = await BrowserApp.StartAsync();
        var page = app.Page;
        var heard = new ConcurrentQueue<string>();
        Watch(page, heard);
        await page.AddInitScriptAsync("addEventListener('securitypolicyviolation', e => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`))");
        var estate = new HostileEstate(app.Services, canary.LocalEndpoint.ToString()!);
        await estate.BuildAsync();

        var visited = 0;
        foreach (var rule in RouteRules.All.Where(r => r.IsPage))
            foreach (var address in estate.Addresses(rule.Pattern))
            {
                await VisitAsync(page, address, heard);
                visited++;
                if (address.Contains('?', StringComparison.Ordinal)) continue;
                await VisitAsync(page, address + estate.HostileQuery(visited * 7), heard);
                visited++;
            }
        foreach (var (address, button) in Questions(estate))
        {
            await VisitAsync(page, address, heard);
            await page.Locator(button).First.ClickAsync();
            await Expect(page.Locator(".rz-dialog")).ToBeVisibleAsync();
            await page.Keyboard.PressAsync("Escape");
            visited++;
        }

        canary.Pending().ShouldBeFalse("somebody came to where the texts lead");
        heard.ShouldBeEmpty();
        app.Complaints.ShouldBeEmpty();
        Console.WriteLine($"{visited} views of {RouteRules.All.Count(r => r.IsPage)} pages with {estate.Library.Texts.Count} hostile texts: no dialog, no request elsewhere, no violation of the policy");
    }

    // Dialogs that repeat names of strangers.
    private static IEnumerable<(string Address, string Button)> Questions(HostileEstate estate)
    {
        yield return ("/keys", "[data-act=revoke]");
        yield return ("/users", "[data-act=remove]");
        yield return ("/users", "[data-act=change]");
        yield return ("/secrets", ".row-actions button >> nth=1");
        yield return (estate.Addresses("/batches/{PublicId}").First() + "/settings", "text=Delete batch");
        yield return (estate.Addresses("/collections/{Key}").First(), "text=Rename");
    }

    private static async Task VisitAsync(IPage page, string address, ConcurrentQueue<string> heard)
    {
        var answer = await page.GotoAsync(address);
        if (answer is { Status: >= 500 }) heard.Enqueue($"{address}: {answer.Status}");
        await Expect(page.Locator("h1").First).ToBeVisibleAsync();
        if (await page.Locator("#ready").CountAsync() > 0) await Expect(page.Locator("#ready")).ToHaveAttributeAsync("data-interactive", "true");
        // What a text ran would have left its mark, also without a dialog.
        if (await page.EvaluateAsync<bool>("document.querySelectorAll('main script, main iframe, main object, main embed, main base, main meta, main img[src^=\"http\"], svg[onload], [onerror], [onclick], [onmouseover], [ontoggle]').length > 0"))
            heard.Enqueue($"{address}: an element that acts");
    }

    private static void Watch(IPage page, ConcurrentQueue<string> heard)
    {
        var own = new Uri(page.Url).Authority;
        page.Dialog += (_, dialog) =>
        {
            heard.Enqueue($"{page.Url}: dialog {dialog.Message}");
            _ = dialog.DismissAsync();
        };
        page.Popup += (_, popup) => heard.Enqueue($"{page.Url}: window {popup.Url}");
        page.PageError += (_, error) => heard.Enqueue($"{page.Url}: {error}");
        page.Request += (_, request) =>
        {
            if (Uri.TryCreate(request.Url, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" or "ws" or "wss" && url!.Authority != own) heard.Enqueue($"{page.Url}: request {request.Url}");
        };
    }
}
