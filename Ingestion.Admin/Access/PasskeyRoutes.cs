using Ingestion.Admin.Api;
using Ingestion.Core.Access;
using Ingestion.Core.Data;
using Ingestion.Core.Pipeline;
using Microsoft.AspNetCore.Identity;

namespace Ingestion.Admin.Access;

/// <summary>
/// The two ceremonies of passkeys, two requests each: what the browser shall sign, and what it signed. Needs the name <c>localhost</c> or
/// https; passkeys.js asks.
/// </summary>
internal static class PasskeyRoutes
{
    private const int MaxBody = 64 << 10;

    public static WebApplication MapPasskeys(this WebApplication app)
    {
        app.MapPost("/sign-in/passkey/options", SignInOptionsAsync).AllowAnonymous();
        app.MapPost("/sign-in/passkey", SignInAsync).AllowAnonymous();
        app.MapPost("/api/v1/me/passkeys/options", AddOptionsAsync);
        app.MapPost("/api/v1/me/passkeys", AddAsync);
        return app;
    }

    private static async Task<IResult> SignInOptionsAsync(SignInManager<Account> identity) =>
        Results.Content(await identity.MakePasskeyRequestOptionsAsync(null), "application/json");

    private static async Task<IResult> SignInAsync(HttpContext http, SignInManager<Account> identity, UserManager<Account> users, SignInDesk desk, string? returnUrl, CancellationToken ct)
    {
        if (await desk.CountedAsync(http, ct) is { } wait) throw new IngestionException(ErrorCodes.RateLimited, "Too many attempts.") { RetryAfter = wait };
        var assertion = await CeremonyAsync(async () => await identity.PerformPasskeyAssertionAsync(await BodyAsync(http.Request, ct)));
        if (assertion is not { Succeeded: true }) return Wire.Refuse(StatusCodes.Status401Unauthorized, "This passkey is not known here.");
        await users.AddOrUpdatePasskeyAsync(assertion.User, assertion.Passkey);
        var began = await desk.BeginAsync(http, assertion.User, "passkey", ct);
        return began.Done ? Wire.Answer(new { Location = SignInDesk.Home(returnUrl) }) : Wire.Refuse(StatusCodes.Status401Unauthorized, began.Refusal!);
    }

    private static async Task<IResult> AddOptionsAsync(HttpContext http, SignInManager<Account> identity, Accounts accounts, CancellationToken ct)
    {
        var account = await OwnAsync(http, accounts, ct);
        return Results.Content(await identity.MakePasskeyCreationOptionsAsync(new() { Id = account.Id, Name = account.UserName, DisplayName = account.Name }), "application/json");
    }

    private static async Task<IResult> AddAsync(HttpContext http, SignInManager<Account> identity, UserManager<Account> users, Accounts accounts, Contexts contexts, CancellationToken ct)
    {
        var account = await OwnAsync(http, accounts, ct);
        var attestation = await CeremonyAsync(async () => await identity.PerformPasskeyAttestationAsync(await BodyAsync(http.Request, ct)));
        if (attestation is not { Succeeded: true }) throw new IngestionException(ErrorCodes.InvalidOption, "The browser's passkey could not be checked. Begin again.");
        attestation.Passkey.Name = $"Passkey of {attestation.Passkey.CreatedAt.UtcDateTime:yyyy-MM-dd}";
        await users.AddOrUpdatePasskeyAsync(account, attestation.Passkey);
        await using var db = contexts.Worker();
        db.Add(http.Actor(Permission.Read), "add_passkey", $"account {account.Id}", new { attestation.Passkey.Name });
        await db.SaveChangesAsync(ct);
        return Results.NoContent();
    }

    // A passkey belongs to a person at a browser: a program's key makes none.
    private static async Task<Account> OwnAsync(HttpContext http, Accounts accounts, CancellationToken ct) =>
        http.User.Identity?.AuthenticationType == SessionHandler.SchemeName && await accounts.FindAsync(http.User.Id(), ct) is { } account
            ? account
            : throw new IngestionException(ErrorCodes.Forbidden, "Passkeys are added by a signed-in person.");

    // Identity takes an answer to a question that it did not ask, or asked too long ago, for a mistake of ours. Null for such.
    private static async Task<T?> CeremonyAsync<T>(Func<Task<T>> finish) where T : class
    {
        try
        {
            return await finish();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static async Task<string> BodyAsync(HttpRequest request, CancellationToken ct)
    {
        if (request.ContentLength is not (> 0 and <= MaxBody)) throw new IngestionException(ErrorCodes.InvalidOption, "Send what the browser signed.");
        using var reader = new StreamReader(request.Body);
        return await reader.ReadToEndAsync(ct);
    }
}
