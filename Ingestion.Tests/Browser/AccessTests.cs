using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Tests.Access;
using Ingestion.Tests.Support;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Shouldly;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Ingestion.Tests.Browser;

public sealed class AccessTests
{
    private static readonly AriaRole Button = AriaRole.Button;

    [BrowserFact]
    public async Task Owner_makes_an_account_with_a_passkey_and_comes_back_with_it()
    {
        await using var app = await BrowserApp.StartAsync();
        var page = app.Page;
        await AuthenticatorAsync(page);
        await Expect(page.GetByText("You are the owner of this installation")).ToBeVisibleAsync();
        await page.GetByLabel("Your name").FillAsync("Ann Example");
        await page.GetByLabel("User name").FillAsync("ann");
        await page.GetByLabel("Password").FillAsync(People.Password);
        await page.GetByRole(Button, new() { Name = "Make my account" }).ClickAsync();
        await page.GetByRole(Button, new() { Name = "Add a passkey" }).ClickAsync();
        await app.ReadyAsync();
        new Uri(page.Url).AbsolutePath.ShouldBe("/");

        await page.GetByRole(Button, new() { Name = "Sign out" }).ClickAsync();
        await page.WaitForURLAsync("**/sign-in");
        await page.GetByRole(Button, new() { Name = "Use a passkey" }).ClickAsync();
        await app.ReadyAsync();
        await app.OpenAsync("/account");
        await Expect(page.GetByLabel("Name", new() { Exact = true })).ToHaveValueAsync("Ann Example");
        await Expect(page.GetByText("Passkey of")).ToBeVisibleAsync();
        app.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Invited_viewer_sees_no_button_that_fails_and_an_open_page_follows_the_role()
    {
        await using var app = await BrowserApp.StartAsync();
        var page = app.Page;
        await app.OpenAsync("/users");
        await page.GetByTestId("invite").ClickAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Bea Example");
        await page.GetByRole(Button, new() { Name = "Make the link" }).ClickAsync();
        var link = await page.Locator(".shown-once code").TextContentAsync();
        await page.GetByRole(Button, new() { Name = "Done" }).ClickAsync();

        await using var others = await page.Context.Browser!.NewContextAsync(new() { BaseURL = new Uri(page.Url).GetLeftPart(UriPartial.Authority) });
        others.SetDefaultTimeout(BrowserApp.Patience);
        var bea = await others.NewPageAsync();
        await bea.GotoAsync(link!);
        await bea.GetByLabel("User name").FillAsync("bea");
        await bea.GetByLabel("Password").FillAsync(People.Password);
        await bea.GetByRole(Button, new() { Name = "Make my account" }).ClickAsync();
        await bea.GetByText("Not now").ClickAsync();
        await Expect(bea.Locator("#ready")).ToHaveAttributeAsync("data-interactive", "true");
        await Expect(bea.Locator(".new-batch")).ToHaveCountAsync(0);
        await Expect(bea.Locator(".side-nav a[href='/users']")).ToHaveCountAsync(0);
        await bea.GotoAsync("/collections");
        await Expect(bea.GetByTestId("new-collection")).ToHaveCountAsync(0);
        await Expect(bea.Locator("#ready")).ToHaveAttributeAsync("data-interactive", "true");
        await bea.EvaluateAsync("window.neverReloaded = true");

        await app.OpenAsync("/users");
        // Raised: the open page gets its buttons without a reload. Lowered: it loses them again.
        await SetRoleAsync(page, "bea", "Operator");
        await Expect(bea.GetByTestId("new-collection")).ToBeVisibleAsync();
        await SetRoleAsync(page, "bea", "Viewer");
        await Expect(bea.GetByTestId("new-collection")).ToHaveCountAsync(0);
        (await bea.EvaluateAsync<bool>("window.neverReloaded")).ShouldBeTrue();

        // Removed: the open page is shown out.
        await page.Locator("[data-user=bea] [data-act=remove]").ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(Button, new() { Name = "Remove" }).ClickAsync();
        await bea.WaitForURLAsync("**/sign-in?*");
        app.Complaints.ShouldBeEmpty();
    }

    [BrowserFact]
    public async Task Person_of_the_provider_signs_in_by_its_button_and_a_click_after_the_role_is_gone_does_nothing()
    {
        await using var provider = await StubProvider.StartAsync();
        await using var app = await BrowserApp.StartAsync(
            ("Ingestion:Oidc:Authority", provider.Address), ("Ingestion:Oidc:ClientId", StubProvider.ClientId), ("Ingestion:Oidc:ClientSecret", StubProvider.ClientSecret),
            ("Ingestion:Oidc:DisplayName", "Sign in with Example"), ("Ingestion:Oidc:Grants:0", "Ingestion.Admin=operator"));
        await using var others = await app.Page.Context.Browser!.NewContextAsync(new() { BaseURL = new Uri(app.Page.Url).GetLeftPart(UriPartial.Authority) });
        others.SetDefaultTimeout(BrowserApp.Patience);
        var page = await others.NewPageAsync();
        await page.GotoAsync("/collections");
        await page.GetByText("Sign in with Example").ClickAsync();
        await Expect(page.Locator("#ready")).ToHaveAttributeAsync("data-interactive", "true");
        new Uri(page.Url).AbsolutePath.ShouldBe("/collections");

        await page.GetByTestId("new-collection").ClickAsync();
        await page.GetByLabel("Name", new() { Exact = true }).FillAsync("Too late");
        await using var db = app.Services.GetRequiredService<Contexts>().Worker();
        await db.Memberships.Where(m => m.ByProvider).ExecuteUpdateAsync(u => u.SetProperty(m => m.Role, Role.Viewer));
        await Expect(page.Locator("[data-testid=new-collection]")).ToHaveCountAsync(0);
        // The dialog was open before; what it asks for is refused.
        if (await page.GetByRole(Button, new() { Name = "Create collection" }).IsVisibleAsync())
            await page.GetByRole(Button, new() { Name = "Create collection" }).ClickAsync();
        await Eventually.IsAsync(async () => !await db.Collections.AnyAsync(c => c.Name == "Too late"), "nothing was made");
    }

    private static async Task SetRoleAsync(IPage page, string user, string role)
    {
        await page.Locator($"[data-user={user}] [data-act=change]").ClickAsync();
        await page.Locator("#role").SelectOptionAsync(role);
        await page.GetByRole(AriaRole.Dialog).GetByRole(Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator($"[data-user={user}]")).ToContainTextAsync(role);
    }

    // A security key that the browser plays by itself.
    private static async Task AuthenticatorAsync(IPage page)
    {
        var session = await page.Context.NewCDPSessionAsync(page);
        await session.SendAsync("WebAuthn.enable");
        await session.SendAsync("WebAuthn.addVirtualAuthenticator", new()
        {
            ["options"] = new { protocol = "ctap2", transport = "internal", hasResidentKey = true, hasUserVerification = true, isUserVerified = true, automaticPresenceSimulation = true },
        });
    }
}
