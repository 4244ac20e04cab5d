using Ingestion.Admin;
using Ingestion.Admin.Access;
using Ingestion.Admin.Api;
using Ingestion.Admin.Api.Families;
using Ingestion.Admin.Api.Live;
using Ingestion.Admin.Api.Reviewing;
using Ingestion.Admin.Cli;
using Ingestion.Admin.Components;
using Ingestion.Admin.Logging;
using Ingestion.Admin.OpenApi;
using Ingestion.Admin.Telemetry;

if (ChildVerbs.Find(args) is { } child)
    return await child();

try
{
    return await new CommandLine(ServeAsync)
        .Add(new SignInLinkCommand())
        .Add(new RecoverOwnerCommand())
        .Add(new MigrateCommand())
        .Add(new VerifyCommand())
        .Add(new SbomCommand())
        .AddClient()
        .RunAsync(InvokedName.Arguments(args));
}
catch (Exception e) when (StartFailure.Explain(e) is { } lines)
{
    await Console.Error.WriteLineAsync(lines);
    return 1;
}

static async Task<int> ServeAsync(string[] settings, CancellationToken ct)
{
    var builder = ServerSetup.CreateBuilder(settings)
        .AddLineLogging()
        .AddServerLimits()
        .AddErrorAnswers()
        .AddAccess()
        .AddHealth()
        .AddTelemetry()
        .AddFamilies()
        .AddApiReference()
        .AddLive()
        .AddPages()
        .AddLiveAuthentication();
    await using var database = await DatabaseSetup.StartAsync(builder, ct);
    builder.AddPipeline();

    await using var app = builder.Build();
    var options = app.CheckedOptions();

    app.UseMiddleware<StoppingServer>();
    app.UseForwardedHeaders();
    app.UseMiddleware<Correlation>();
    app.UseMiddleware<SecurityHeaders>();
    app.UseErrorAnswers();
    // After the error answers, which send a failed request through from here again.
    app.UseRouting();
    // Before access, which counts and judges what wants to become a socket.
    app.UseWebSockets(LiveSetup.Sockets);
    app.UseAccess();
    app.UseMiddleware<OnceForEachKey>();
    app.MapHealth();
    app.MapMetrics();
    if (options.RunsWeb)
        app.MapSignInAndOut().MapPasskeys().MapAccess().MapWebhooks().MapVerify().MapWorkers().MapBatches().MapConnections().MapFirecrawl().MapHosts().MapBatchStream().MapJobs().MapBulk().MapUploads().MapDraftAddresses().MapLibrary().MapDocuments().MapSearch().MapReview().MapFamilies().MapApiReference().MapPages();

    await database.MigrateAsync(app.Services, ct);
    return await app.RunUntilStoppedAsync(ct);
}

public partial class Program;
