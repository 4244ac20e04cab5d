using System.Net;
using System.Text.Json;
using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Embeddings;

/// <summary>Puts every bad answer of an embedding service into the taxonomy, in words that hold no secret.</summary>
/// <param name="host">The service as a person knows it: host and port.</param>
/// <param name="apiKey">The key of the moment: blotted out wherever the service repeats it.</param>
/// <param name="time">Dates of Retry-After are relative to it.</param>
internal sealed class EmbeddingRefusal(string host, Func<string?> apiKey, TimeProvider time)
{
    private const int MaxErrorBody = 64 << 10;

    /// <summary>Longest wait that is believed; a service that says more is asked again after a day.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    public IngestionException Invalid(string what, Exception? inner = null) => new(ErrorCodes.EmbeddingInvalid, Sentence(what), inner);

    public IngestionException Unavailable(string what, Exception? inner = null) => new(ErrorCodes.EmbeddingUnavailable, Sentence(what), inner);

    /// <summary>An answer with an error status. Nothing but its own words and waiting times are believed.</summary>
    public async Task<IngestionException> ReadAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var status = (int)response.StatusCode;
        if (status is >= 300 and < 400)
            return new IngestionException(ErrorCodes.EmbeddingRefused, Sentence($"answers with a redirect ({status}), which is not followed; configure the final address"));

        using var body = await BoundedBody.ReadAsync(response.Content, MaxErrorBody, ct);
        var error = ServiceError.Parse(body is null ? default : body.Bytes.Span);
        return Classify(response.StatusCode, error, RetryAfter(response));
    }

    /// <summary>An error inside an answer that claims success.</summary>
    public IngestionException FromError(ReadOnlySpan<byte> json)
    {
        var error = ServiceError.Parse(json);
        if (error.IsQuota || error.IsThrottle) return Classify(HttpStatusCode.TooManyRequests, error, null);
        if (error.IsTooLong) return Classify(HttpStatusCode.BadRequest, error, null);
        return Invalid("answered with an error" + Quoted(error));
    }

    private IngestionException Classify(HttpStatusCode status, ServiceError error, TimeSpan? retryAfter)
    {
        if (error.IsQuota || status == HttpStatusCode.PaymentRequired)
            return new IngestionException(ErrorCodes.EmbeddingQuota, Sentence("says that the quota is used up" + Quoted(error)));
        return status switch
        {
            HttpStatusCode.TooManyRequests => new IngestionException(ErrorCodes.EmbeddingThrottled, Sentence("asks to slow down" + Quoted(error))) { RetryAfter = retryAfter },
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => Refused(status, "refuses the key", error),
            HttpStatusCode.NotFound => Refused(status, "knows no such model or address", error),
            HttpStatusCode.RequestTimeout or (HttpStatusCode)425 or >= HttpStatusCode.InternalServerError =>
                new IngestionException(ErrorCodes.EmbeddingUnavailable, Sentence($"failed ({(int)status})" + Quoted(error))) { RetryAfter = retryAfter },
            HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnprocessableEntity => Refused(
                status, error.IsTooLong ? "refuses a text that is longer than the model's context length" : "refuses the request", error, new RefusedInputException()),
            _ => Refused(status, "refuses the request", error),
        };
    }

    private IngestionException Refused(HttpStatusCode status, string what, ServiceError error, Exception? inner = null) =>
        new(ErrorCodes.EmbeddingRefused, Sentence($"{what} ({(int)status})" + Quoted(error)), inner);

    private string Sentence(string what) => $"The embedding service at {host} {what}.";

    private string Quoted(ServiceError error) => error.Shown(apiKey()) is { Length: > 0 } words ? $": “{words}”" : "";

    /// <summary>Milliseconds, seconds or a date; a moment that has passed means now, and nonsense means that nothing was said.</summary>
    private TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        TimeSpan? wait = response.Headers.TryGetValues("retry-after-ms", out var values) && double.TryParse(values.First(), System.Globalization.CultureInfo.InvariantCulture, out var ms) && double.IsFinite(ms)
            ? TimeSpan.FromMilliseconds(Math.Clamp(ms, 0, LongestWait.TotalMilliseconds))
            : response.Headers.RetryAfter switch
            {
                { Delta: { } delta } => delta,
                { Date: { } date } => date - time.GetUtcNow(),
                _ => null,
            };
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > LongestWait ? LongestWait : wait;
    }
}

/// <summary>Marks a refusal that one of the texts caused, so that the others can be sent without it.</summary>
internal sealed class RefusedInputException() : Exception("A text was refused, or the whole request.");
