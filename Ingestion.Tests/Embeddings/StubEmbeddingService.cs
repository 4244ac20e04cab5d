using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Ingestion.Core.Embeddings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Ingestion.Tests.Embeddings;

/// <summary>A real HTTP server on loopback that answers every request with what a test hands it, and keeps the requests' bodies.</summary>
internal sealed class StubEmbeddingService : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly List<JsonElement> _requests = [];

    private StubEmbeddingService(WebApplication app) => _app = app;

    public string Endpoint => _app.Urls.Single() + "/v1";

    public IReadOnlyList<JsonElement> Requests
    {
        get
        {
            lock (_requests) return [.. _requests];
        }
    }

    public static async Task<StubEmbeddingService> StartAsync(Func<HttpContext, JsonElement, Task> answer, bool tls = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, listen =>
        {
            if (tls) listen.UseHttps(SelfSigned());
        }));
        var app = builder.Build();
        var stub = new StubEmbeddingService(app);
        app.Run(async context =>
        {
            var request = await JsonSerializer.DeserializeAsync<JsonElement>(context.Request.Body);
            lock (stub._requests) stub._requests.Add(request);
            await answer(context, request);
        });
        await app.StartAsync();
        return stub;
    }

    public static Task<StubEmbeddingService> AnsweringAsync(string body, int status = 200, Action<HttpContext>? headers = null) => StartAsync(async (context, _) =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        headers?.Invoke(context);
        await context.Response.WriteAsync(body);
    });

    public OpenAiEmbedder Connect(string model = "stub", string? key = null, int? dimensions = null, int batch = 32, TimeProvider? time = null) => new(
        OpenAiEmbedder.CreateHandler(),
        new EmbeddingOptions { Endpoint = Endpoint, Model = model, ApiKey = key, Dimensions = dimensions, BatchSize = batch },
        time ?? TimeProvider.System);

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static X509Certificate2 SelfSigned()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=stub", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(90));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
