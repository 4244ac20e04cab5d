using System.Security.Cryptography;
using System.Text;
using Ingestion.Admin.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Sources;

namespace Ingestion.Admin.Api.Families;

/// <summary>Submissions whose files came in the same request.</summary>
internal sealed class FamilyIntake(BatchQueries batches, UploadStore store)
{
    /// <summary>Submits and returns the batch. Throws <see cref="IngestionException"/> and <see cref="IdempotencyConflictException"/>, each with nothing created.</summary>
    /// <param name="fingerprint">What makes the request the same as another one with its <c>Idempotency-Key</c>.</param>
    /// <param name="kept">Uploads made for this request alone: forgotten again where it is refused or was answered before.</param>
    public async Task<BatchView> SubmitAsync(HttpContext http, SubmissionRequest request, IEnumerable<string> fingerprint, IReadOnlyList<Upload> kept, CancellationToken ct)
    {
        Submitted? submitted = null;
        try
        {
            (submitted, _) = await FamilyRequest.SubmitAsync(http, request, Hash(http, fingerprint), ct);
            if (submitted is null) throw new IdempotencyConflictException();
            return await batches.FindAsync(http.User.Scope(), submitted.PublicId, ct) ?? throw new IngestionException(ErrorCodes.NotFound, "The batch was deleted at once.");
        }
        finally
        {
            // Without the caller's token: what was made for a request must not stay because its sender has gone.
            if (submitted is null or { Repeated: true })
                foreach (var upload in kept) await store.RemoveAsync(http.Actor(), upload.PublicId, CancellationToken.None);
        }
    }

    private static byte[] Hash(HttpContext http, IEnumerable<string> fingerprint)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in fingerprint.Prepend(http.Request.Path.Value ?? ""))
        {
            hash.AppendData(BitConverter.GetBytes(part.Length));
            hash.AppendData(Encoding.UTF8.GetBytes(part));
        }
        return hash.GetHashAndReset();
    }
}
