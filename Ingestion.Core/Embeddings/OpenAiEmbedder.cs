using System.Net.Http.Headers;
using System.Security.Authentication;
using System.Text.Json;
using Ingestion.Core.Pipeline;
using Microsoft.Extensions.AI;

namespace Ingestion.Core.Embeddings;

/// <summary>
/// Vectors from any service that speaks OpenAI's protocol (<c>POST {endpoint}/embeddings</c>). It never retries and never follows a
/// redirect: it sends, checks every part of the answer, and throws <see cref="IngestionException"/> for all that is not
/// one finite vector per text, in order, of the expected length. What it returns is scaled to length 1.
/// </summary>
public sealed class OpenAiEmbedder : IEmbeddingGenerator<string, Embedding<float>>
{
    public const int Version = 1;

    /// <summary>Characters in one request at most, unless a single text is longer; services limit tokens per request.</summary>
    public const int MaxCharactersPerRequest = 200_000;

    private readonly HttpClient _http;
    private readonly EmbeddingOptions _options;
    private readonly TimeProvider _time;
    private readonly EmbeddingTurns? _turns;
    private readonly Func<string?> _key;
    private readonly Uri _address;
    private readonly EmbeddingRefusal _refusal;
    private readonly EmbeddingGeneratorMetadata _metadata;
    private int _dimensions;

    /// <param name="handler">Must not follow redirects; it is not disposed. See <see cref="CreateHandler"/>.</param>
    /// <param name="options">Validated options.</param>
    /// <param name="time">Measures the time-out and reads dates of Retry-After.</param>
    /// <param name="turns">Where the service's rate is limited; waiting for a turn does not count against the time-out.</param>
    /// <param name="key">The key to send at this moment; null takes the options' own.</param>
    public OpenAiEmbedder(HttpMessageHandler handler, EmbeddingOptions options, TimeProvider time, EmbeddingTurns? turns = null, Func<string?>? key = null)
    {
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        RefuseRedirects(handler);
        _http = new HttpClient(handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        _options = options;
        _time = time;
        _turns = turns;
        _key = key ?? (() => options.ApiKey);
        var address = new UriBuilder(options.BaseAddress);
        address.Path = address.Path.TrimEnd('/') + "/embeddings";
        _address = address.Uri;
        _refusal = new EmbeddingRefusal(_address.Authority, _key, time);
        _metadata = new EmbeddingGeneratorMetadata("openai", options.BaseAddress, options.Model, options.Dimensions);
        _dimensions = options.Dimensions ?? KnownDimensions(options.Model) ?? 0;
    }

    /// <summary>Floats in a vector: as configured, as known for the model, or as the first answer showed; null before that.</summary>
    public int? Dimensions => Volatile.Read(ref _dimensions) is var known and > 0 ? known : null;

    /// <summary>A handler as this embedder needs it: no redirects, no cookies, compressed answers opened, addresses looked up anew every few minutes.</summary>
    public static SocketsHttpHandler CreateHandler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = System.Net.DecompressionMethods.All,
        ConnectTimeout = TimeSpan.FromSeconds(15),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
    };

    /// <exception cref="IngestionException">One of the <c>embedding_…</c> codes.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        CallOptions.Check(options, _options.Model, Dimensions);
        var texts = values as IReadOnlyList<string> ?? [.. values];
        var result = new GeneratedEmbeddings<Embedding<float>>(texts.Count);
        long tokens = 0;
        for (var start = 0; start < texts.Count;)
        {
            var batch = RequestSize.Take(texts, start, _options.BatchSize);
            var reply = await SendAsync(batch, cancellationToken);
            foreach (var vector in reply.Vectors) result.Add(new Embedding<float>(vector) { ModelId = _options.Model });
            tokens += reply.Tokens;
            start += batch.Count;
        }
        result.Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens };
        return result;
    }

    object? IEmbeddingGenerator.GetService(Type serviceType, object? serviceKey)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    public void Dispose() => _http.Dispose();

    private async Task<EmbeddingReply> SendAsync(IReadOnlyList<string> texts, CancellationToken ct)
    {
        if (_turns is not null) await _turns.WaitAsync(ct);
        using var timeout = new CancellationTokenSource(_options.Timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, timeout.Token);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _address) { Content = Body(texts) };
            if (_key() is { } key && !string.IsNullOrWhiteSpace(key))
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key.Trim());
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (!response.IsSuccessStatusCode) throw await _refusal.ReadAsync(response, either.Token);
            if (response.Content.Headers.ContentEncoding.Count > 0)
                throw _refusal.Invalid("answered in a compression that was not asked for");

            using var body = await BoundedBody.ReadAsync(response.Content, BoundedBody.MaxReply, either.Token)
                ?? throw _refusal.Invalid($"answered with more than {BoundedBody.MaxReply >> 20} MB");
            var reply = EmbeddingReply.Parse(body.Bytes.Span, texts.Count, _refusal);
            Accept(reply);
            return reply;
        }
        catch (OperationCanceledException e) when (!ct.IsCancellationRequested)
        {
            throw timeout.IsCancellationRequested
                ? _refusal.Unavailable($"did not answer within {_options.Timeout.TotalSeconds:0.#} s", e)
                : _refusal.Unavailable("could not be connected to in time", e);
        }
        catch (HttpRequestException e) when (e.InnerException is AuthenticationException)
        {
            throw _refusal.Unavailable("offers no valid certificate", e);
        }
        catch (HttpRequestException e)
        {
            throw _refusal.Unavailable($"cannot be reached ({e.HttpRequestError})", e);
        }
        catch (IOException e)
        {
            throw _refusal.Unavailable("broke off in the middle of its answer", e);
        }
        catch (InvalidDataException e)
        {
            throw _refusal.Invalid("sent a compressed answer that cannot be opened", e);
        }
    }

    /// <summary>Base64 asks for the floats as bytes: a third of the size, and exact.</summary>
    private ReadOnlyMemoryContent Body(IReadOnlyList<string> texts)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("model", _options.Model);
            json.WriteStartArray("input");
            foreach (var text in texts) json.WriteStringValue(text);
            json.WriteEndArray();
            json.WriteString("encoding_format", "base64");
            if (_options.Dimensions is { } dimensions) json.WriteNumber("dimensions", dimensions);
            json.WriteEndObject();
        }
        return new ReadOnlyMemoryContent(buffer.WrittenMemory) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
    }

    /// <summary>The first answer fixes the length where nobody said it; from then on another length is an error.</summary>
    private void Accept(EmbeddingReply reply)
    {
        var known = Volatile.Read(ref _dimensions) is var d and > 0 ? d : reply.Vectors[0].Length;
        foreach (var vector in reply.Vectors)
        {
            Expect(known, vector.Length);
            if (!UnitLength.TryScale(vector)) throw _refusal.Invalid("answered with a vector of zeros");
        }
        // Two first answers may race; the loser is measured against the winner.
        if (Interlocked.CompareExchange(ref _dimensions, known, 0) is var winner and > 0) Expect(winner, known);
    }

    private void Expect(int dimensions, int actual)
    {
        if (actual != dimensions) throw _refusal.Invalid($"answered with a vector of {actual} dimensions where {dimensions} were expected");
    }

    private static int? KnownDimensions(string model) => model switch
    {
        "text-embedding-3-large" => 3072,
        "text-embedding-3-small" or "text-embedding-ada-002" => 1536,
        _ => null,
    };

    private static void RefuseRedirects(HttpMessageHandler? handler)
    {
        for (; handler is not null; handler = (handler as DelegatingHandler)?.InnerHandler)
        {
            if (handler is SocketsHttpHandler { AllowAutoRedirect: true } or HttpClientHandler { AllowAutoRedirect: true })
                throw new ArgumentException("The handler follows redirects; a redirect could lead the key and the texts anywhere.", nameof(handler));
        }
    }
}
