using Ingestion.Admin.Access;
using Ingestion.Core.Pipeline.Verify;

namespace Ingestion.Admin.Api;

/// <summary><c>GET /api/v1/verify</c>: recounts everything, for administrators. <c>?full=true</c> also reads and hashes every stored file.</summary>
internal static class VerifyApi
{
    public static WebApplication MapVerify(this WebApplication app)
    {
        app.MapGet("/api/v1/verify", async (Verification verification, Conditions conditions, bool full = false, CancellationToken ct = default) =>
            Results.Json(VerifyAnswer.Of(await verification.RunAsync(new(Quick: !full), ct), await conditions.ReadAsync(ct)), VerifyAnswer.Json));
        return app;
    }
}
