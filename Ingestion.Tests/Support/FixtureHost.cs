using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Ingestion.Tests.Support;

/// <summary>
/// A web site on a free loopback port. Every path is a page of its own text; what a test scripts for a path goes before. Counts the
/// requests of each path.
/// </summary>
public sealed class FixtureHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, RequestDelegate> _scripts = new();
    private readonly ConcurrentDictionary<string, int> _requests = new();

    private FixtureHost(WebApplication app) => _app = app;

    /// <summary>Host and port, as an allow-list takes them.</summary>
    public string Target => $"127.0.0.1:{new Uri(_app.Urls.Single()).Port}";

    /// <summary>What answers where nothing is scripted for a path.</summary>
    public RequestDelegate Otherwise { get; set; } = context => WritePageAsync(context, PageOf(context.Request.Path));

    public int Requests(string path) => _requests.GetValueOrDefault(path);

    public int AllRequests => _requests.Values.Sum();

    public Uri Url(string path) => new($"http://{Target}{path}");

    /// <param name="at">Where it listens; null for a free port of loopback.</param>
    public static async Task<FixtureHost> StartAsync(IPEndPoint? at = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.Listen(at ?? new(IPAddress.Loopback, 0));
            // Slow pages are meant to be slow.
            k.Limits.MinResponseDataRate = null;
        });
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.Zero);
        var app = builder.Build();
        var site = new FixtureHost(app);
        app.Run(site.AnswerAsync);
        await app.StartAsync();
        return site;
    }

    /// <summary>Scripts a path.</summary>
    public FixtureHost On(string path, RequestDelegate answer)
    {
        _scripts[path] = answer;
        return this;
    }

    public FixtureHost Text(string path, string text, string type = "text/html") => On(path, context =>
    {
        context.Response.ContentType = type;
        return context.Response.WriteAsync(text, context.RequestAborted);
    });

    /// <summary>Always this status.</summary>
    public FixtureHost Status(string path, int status, string? retryAfter = null) => On(path, context =>
    {
        context.Response.StatusCode = status;
        if (retryAfter is not null) context.Response.Headers.RetryAfter = retryAfter;
        return Task.CompletedTask;
    });

    /// <summary>This status so many times, then the page.</summary>
    public FixtureHost FailsFirst(string path, int times, int status = 500, string? retryAfter = null)
    {
        var left = times;
        return On(path, context =>
        {
            if (Interlocked.Decrement(ref left) < 0) return WritePageAsync(context, PageOf(path));
            context.Response.StatusCode = status;
            if (retryAfter is not null) context.Response.Headers.RetryAfter = retryAfter;
            return Task.CompletedTask;
        });
    }

    /// <summary>The page, after a while.</summary>
    public FixtureHost Slow(string path, TimeSpan delay) => On(path, async context =>
    {
        await Task.Delay(delay, context.RequestAborted);
        await WritePageAsync(context, PageOf(path));
    });

    /// <summary>A body of so many bytes, not announced.</summary>
    public FixtureHost Huge(string path, long bytes) => On(path, async context =>
    {
        context.Response.ContentType = "text/plain";
        var block = new byte[1 << 16];
        Array.Fill(block, (byte)'x');
        for (var sent = 0L; sent < bytes; sent += block.Length) await context.Response.Body.WriteAsync(block, context.RequestAborted);
    });

    /// <summary>A page that goes on, a little at a time, until the client has had enough.</summary>
    public FixtureHost Endless(string path) => On(path, async context =>
    {
        context.Response.ContentType = "text/html";
        while (!context.RequestAborted.IsCancellationRequested)
        {
            await context.Response.WriteAsync("<p>and so on</p>", context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(20, context.RequestAborted);
        }
    });

    /// <summary>Bytes without meaning under the name of a page.</summary>
    public FixtureHost Garbage(string path) => On(path, context =>
    {
        context.Response.ContentType = "text/html";
        var bytes = new byte[4096];
        new Random(path.Length).NextBytes(bytes);
        return context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    });

    public FixtureHost Redirect(string path, string location) => On(path, context =>
    {
        context.Response.Redirect(location);
        return Task.CompletedTask;
    });

    /// <summary>The page of a path: a title, navigation that is no content, and a sentence that no other path has.</summary>
    public static string PageOf(string path) => string.Create(CultureInfo.InvariantCulture, $"""
        <!DOCTYPE html><html><head><title>Page {path}</title></head><body><nav><a href="/">Home</a></nav>
        <main><h1>Page {path}</h1><p>{SentenceOf(path)}</p><p>A second paragraph, so that there is something to read besides.</p></main></body></html>
        """);

    /// <summary>The sentence that only this path's page holds.</summary>
    public static string SentenceOf(string path) => $"The word of this page is {WordOf(path)}.";

    /// <summary>A word for each path, the same in every run.</summary>
    public static string WordOf(string path)
    {
        var hash = System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(path));
        return "w" + Convert.ToHexStringLower(hash.AsSpan(0, 6));
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private static Task WritePageAsync(HttpContext context, string page)
    {
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.WriteAsync(page, context.RequestAborted);
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        _requests.AddOrUpdate(path, 1, (_, n) => n + 1);
        try
        {
            await (_scripts.TryGetValue(path, out var script) ? script : Otherwise)(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client had enough, as many of these pages want it to.
            return;
        }
    }
}
