using System.Security.Cryptography;
using System.Text;
using Ingestion.Admin.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Embeddings;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;

namespace Ingestion.Admin.Api.Families;

/// <summary>How route families hand in: one submission for whatever they call it.</summary>
internal sealed class FamilyIntake(Submission submission, BatchQueries batches, UploadStore store, EmbeddingModels models)
{
    private const int MaxKey = 200;

    /// <summary>Submits and returns the batch. Throws <see cref="IngestionException"/> with nothing created.</summary>
    /// <param name="fingerprint">What makes the request the same as another one with its <c>Idempotency-Key</c>.</param>
    /// <param name="kept">Uploads made for this request alone: forgotten again where it is refused or was answered before.</param>
    public async Task<BatchView> SubmitAsync(HttpContext http, SubmissionRequest request, IEnumerable<string> fingerprint, IReadOnlyList<Upload> kept, CancellationToken ct)
    {
        var actor = http.Actor();
        try
        {
            // Said now rather than by every document when it comes to be embedded.
            models.Resolve(request.Options.EmbeddingModelPreference);
            var submitted = await submission.SubmitAsync(actor, request, KeyOf(http, fingerprint), ct);
            if (submitted.Repeated) await ForgetAsync(actor, kept);
            return await batches.FindAsync(http.User.Scope(), submitted.PublicId, ct) ?? throw new IngestionException(ErrorCodes.NotFound, "The batch was deleted at once.");
        }
        catch (Exception e) when (e is IngestionException or IdempotencyConflictException)
        {
            await ForgetAsync(actor, kept);
            throw;
        }
    }

    // Without the caller's token: what was made for a request must not stay because its sender has gone.
    private async Task ForgetAsync(Actor actor, IReadOnlyList<Upload> kept)
    {
        foreach (var upload in kept) await store.RemoveAsync(actor, upload.PublicId, CancellationToken.None);
    }

    private static Idempotency? KeyOf(HttpContext http, IEnumerable<string> fingerprint)
    {
        var key = http.Request.Headers["Idempotency-Key"].ToString();
        if (key.Length == 0) return null;
        if (key.Length > MaxKey) throw new IngestionException(ErrorCodes.InvalidOption, $"Idempotency-Key has more than {MaxKey} characters.");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in fingerprint.Prepend(http.Request.Path.Value ?? ""))
        {
            hash.AppendData(BitConverter.GetBytes(part.Length));
            hash.AppendData(Encoding.UTF8.GetBytes(part));
        }
        return new(key, hash.GetHashAndReset());
    }
}
