using System.Text.Json;
using Ingestion.Core.Pipeline;
using Ingestion.Core.Pipeline.Verify;
using Ingestion.Core.Sources;
using Ingestion.Tests.Support;
using Shouldly;

namespace Ingestion.Tests.Sources;

/// <summary>What the tests of sources make again and again.</summary>
internal static class SourceMaking
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    public static JsonElement Json(object value) => JsonSerializer.SerializeToElement(value);

    /// <summary>A connection with these settings; returns its key.</summary>
    public static Task<string> ConnectAsync(this PipelineHost host, string kind, string key, object settings) =>
        host.Get<SourceConnections>().CreateAsync(PipelineHost.Actor, new(kind, key, $"The {key}", Json(settings)), Ct);

    /// <summary>A batch that takes from one source.</summary>
    public static SubmissionRequest Taking(string kind, string? connection = null, IReadOnlyList<string>? files = null, object? options = null, string? source = null) =>
        new($"From {kind}") { Sources = [new(kind, connection, files, options is null ? null : Json(options), source)] };

    /// <summary>How each item ended, by its key: the state, or the code of its failure.</summary>
    public static async Task<Dictionary<string, string>> EndsAsync(this PipelineHost host, Submitted batch) =>
        (await host.ItemsAsync(batch)).ToDictionary(i => i.Row == 0 ? i.SourceKey : $"{i.SourceKey}#{i.Row}", i => i.ErrorCode ?? i.State.Word());

    /// <summary>The newest run of a connection's sync.</summary>
    public static async Task<SyncRunView> LastRunAsync(this PipelineHost host, string key) =>
        (await host.Get<Syncs>().RunsAsync(PipelineHost.Actor.TenantId, key, 1, Ct)).ShouldHaveSingleItem();

    /// <summary>Fails with what <c>verify</c> finds wrong.</summary>
    public static async Task VerifiedAsync(this PipelineHost host) => (await host.Get<Verification>().RunAsync(new(), Ct)).ShouldFindNothing();

    /// <summary>Fails with what was found wrong.</summary>
    public static void ShouldFindNothing(this VerifyReport report) =>
        report.Checks.Where(c => c.Count > 0).SelectMany(c => c.First).Select(v => v.Sentence).ShouldBeEmpty();
}
