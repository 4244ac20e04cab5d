using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Tests.Admin;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace Ingestion.Tests.Access;

/// <summary>Somebody with an account, a key and a browser.</summary>
/// <param name="Session">What the cookie of their browser holds.</param>
internal sealed record Person(string Id, string UserName, string TenantId, string Key, string Session);

/// <summary>Makes people for tests, with only what matters to the test.</summary>
internal sealed class People(IServiceProvider services)
{
    public const string Password = "correct horse battery";
    private static int _made;

    public async Task<Person> MakeAsync(
        Role role = Role.Operator, string tenant = Tenant.Default, Narrowing? narrowing = null, KeyScope scope = KeyScope.Admin, DateTimeOffset? keyExpires = null, bool owner = false, bool disabled = false)
    {
        var n = Interlocked.Increment(ref _made);
        var account = new Account
        {
            Id = PublicId.New("usr_"), UserName = $"person{n}", NormalizedUserName = $"PERSON{n}", Name = $"Person {n}", SecurityStamp = "x", Owner = owner, CreatedAt = DateTimeOffset.UtcNow,
        };
        account.PasswordHash = services.GetRequiredService<IPasswordHasher<Account>>().HashPassword(account, Password);
        await using (var db = services.GetRequiredService<Contexts>().Worker())
        {
            db.Accounts.Add(account);
            db.Memberships.Add(new()
            {
                TenantId = tenant, AccountId = account.Id, Role = role, Collections = narrowing?.Collections?.ToList(), Connections = narrowing?.Connections?.ToList(), OwnBatches = narrowing?.OwnBatches ?? false,
            });
            await db.SaveChangesAsync();
        }
        var actor = new Actor(tenant, account.Id);
        var (view, key) = await services.GetRequiredService<ApiKeys>().CreateAsync(actor, "test", scope, null, CancellationToken.None);
        var session = await services.GetRequiredService<Sessions>().BeginAsync(actor, "password", "test", TimeSpan.FromHours(1), CancellationToken.None);
        await using (var db = services.GetRequiredService<Contexts>().Worker())
        {
            var row = await db.ApiKeys.FindAsync(view.Id);
            row!.ExpiresAt = keyExpires;
            if (disabled) (await db.Accounts.FindAsync(account.Id))!.DisabledAt = DateTimeOffset.UtcNow;
            await db.SaveChangesAsync();
        }
        return new(account.Id, account.UserName, tenant, key, session);
    }

    public Task TenantAsync(string id) =>
        services.GetRequiredService<Tenants>().CreateAsync(new(Tenant.Default, "test"), id, id, CancellationToken.None);
}

internal static class PersonClients
{
    /// <summary>A browser in which the person has signed in.</summary>
    public static HttpClient Browser(this AdminApp app, Person person)
    {
        var browser = app.CreateClient(new() { AllowAutoRedirect = false, HandleCookies = false });
        browser.DefaultRequestHeaders.Add("Cookie", $"ingestion={person.Session}");
        browser.DefaultRequestHeaders.Add("X-Requested-With", "ingestion");
        browser.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        return browser;
    }
}
