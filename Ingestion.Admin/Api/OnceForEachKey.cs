using System.Security.Cryptography;
using System.Text;
using Ingestion.Admin.Access;
using Ingestion.Core.Access;
using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api;

/// <summary>Marks routes that create something small: sent again with the same <c>Idempotency-Key</c>, they answer as before and create nothing.</summary>
internal sealed class CreatesOnce
{
    public static readonly CreatesOnce Mark = new();
}

/// <summary>Gives a repeated creation its first answer. The same key with another request is 422.</summary>
internal sealed class OnceForEachKey(RequestDelegate next, KeptAnswers answers)
{
    private const string Header = "Idempotency-Key";
    private const int MaxKey = 200;

    public async Task InvokeAsync(HttpContext context)
    {
        var key = context.Request.Headers[Header].ToString();
        if (key.Length == 0 || context.User.Facts() is not { } caller || context.GetEndpoint()?.Metadata.GetMetadata<CreatesOnce>() is null)
        {
            await next(context);
            return;
        }
        if (key.Length > MaxKey) throw new IngestionException(ErrorCodes.InvalidOption, $"{Header} has more than {MaxKey} characters.");
        await using var held = await answers.HoldAsync(caller.TenantId, caller.Id, new(key, await HashAsync(context.Request, context.RequestAborted)), context.RequestAborted);
        if (held.Answer is { } before) await SendAsync(context.Response, before);
        else await AnswerAsync(context, held);
    }

    private async Task AnswerAsync(HttpContext context, HeldKey held)
    {
        var body = context.Response.Body;
        using var written = new MemoryStream();
        context.Response.Body = written;
        try
        {
            await next(context);
            // A refusal is not kept: what was in its way may be gone the next time.
            if (context.Response.StatusCode is >= 200 and < 300)
                await held.KeepAsync(new(context.Response.StatusCode, context.Response.ContentType, context.Response.Headers.Location, written.ToArray()));
        }
        finally
        {
            context.Response.Body = body;
        }
        // Writing nothing would begin the response, and what has no body yet is still given one further out.
        if (written.Length > 0) await body.WriteAsync(written.GetBuffer().AsMemory(0, (int)written.Length), context.RequestAborted);
    }

    private static async Task SendAsync(HttpResponse response, KeptAnswer answer)
    {
        response.StatusCode = answer.Status;
        response.ContentType = answer.ContentType;
        if (answer.Location is { } location) response.Headers.Location = location;
        await response.Body.WriteAsync(answer.Body);
    }

    private static async Task<byte[]> HashAsync(HttpRequest request, CancellationToken ct)
    {
        request.EnableBuffering();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Method} {request.Path}{request.QueryString}\n"));
        var buffer = new byte[8192];
        while (await request.Body.ReadAsync(buffer, ct) is > 0 and var read) hash.AppendData(buffer.AsSpan(0, read));
        request.Body.Position = 0;
        return hash.GetHashAndReset();
    }
}
