using System.Net;
using Ingestion.Admin.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;

namespace Ingestion.Tests.Admin;

/// <summary>The whole program in this process, with a data directory of its own. No port is opened.</summary>
public sealed class AdminApp : WebApplicationFactory<Program>
{
    public const string Key = "a-key-of-the-tests-0123456789";

    private readonly string _data = Directory.CreateTempSubdirectory("admin-").FullName;

    // Awaited here because the host is built synchronously; the server is started once for the whole run.
    private readonly Support.TestDatabase _database = Support.PostgresServer.CreateDatabaseAsync().GetAwaiter().GetResult();

    /// <summary>True where passwords are to cost what they cost in use; without it they are hashed quickly, since every test has people.</summary>
    public bool HashesAsInUse { get; init; }

    public string Data => _data;

    public string ConnectionString => _database.ConnectionString;

    /// <summary>A browser: asks for pages, keeps cookies, shows redirects as they are.</summary>
    public HttpClient Browser()
    {
        var client = CreateClient(new() { AllowAutoRedirect = false });
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        return client;
    }

    /// <summary>A browser that has opened a sign-in link.</summary>
    public async Task<HttpClient> SignedInAsync()
    {
        var browser = Browser();
        using var answer = await browser.GetAsync(NewLink());
        return browser;
    }

    /// <summary>A program: asks for JSON; sends the key where one is given.</summary>
    public HttpClient Caller(string? key = null)
    {
        var client = CreateClient(new() { AllowAutoRedirect = false, HandleCookies = false });
        client.DefaultRequestHeaders.Accept.ParseAdd("application/json");
        if (key is not null)
            client.DefaultRequestHeaders.Add("X-Api-Key", key);
        return client;
    }

    public string NewLink() => "/sign-in?token=" + Services.GetRequiredService<SignInLinks>().Issue();

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseSetting("Ingestion:Data", _data);
        builder.UseSetting("ConnectionStrings:Ingestion", _database.ConnectionString);
        builder.UseSetting("Ingestion:Port", "0");
        builder.UseSetting("Ingestion:BootstrapKey", Key);
        builder.UseSetting("Logging:LogLevel:Default", "None");
        builder.ConfigureTestServices(services =>
        {
            services.AddTransient<IStartupFilter, SenderAddress>();
            if (!HashesAsInUse) services.PostConfigure<PasswordHasherOptions>(o => o.IterationCount = 100);
        });
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _database.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    /// <summary>The header by which a test says where its request comes from: the server in memory knows no addresses.</summary>
    public const string From = "X-Test-From";

    private sealed class SenderAddress : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((context, rest) =>
            {
                context.Connection.RemoteIpAddress ??= IPAddress.Parse(context.Request.Headers[From].ToString() is { Length: > 0 } sender ? sender : "127.0.0.1");
                return rest(context);
            });
            next(app);
        };
    }
}
