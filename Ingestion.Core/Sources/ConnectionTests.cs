using Ingestion.Core.Pipeline;

namespace Ingestion.Core.Sources;

/// <summary>Tries connections before anything is taken through them, and says in a sentence what is missing.</summary>
public sealed class ConnectionTests(SourceConnections connections, IEnumerable<IConnectionTest> tests)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly Dictionary<string, IConnectionTest> _tests = tests.ToDictionary(t => t.SourceType);

    /// <summary>Tests a connection and notes what came of it; null where there is none in reach.</summary>
    public async Task<ControlResult?> RunAsync(Actor actor, string key, CancellationToken ct)
    {
        if (await connections.FindAsync(actor.Scope, key, ct) is not { } view) return null;
        HostLedger.AskingFor(actor.TenantId);
        var problem = await ProblemAsync(actor.TenantId, view, ct);
        await connections.NoteTestAsync(actor.TenantId, key, problem, ct);
        return problem is null ? new(true, "The connection works.") : new(false, problem);
    }

    private async Task<string?> ProblemAsync(string tenantId, ConnectionView view, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        try
        {
            var connection = await connections.OpenAsync(tenantId, view.Key, ct);
            foreach (var field in connection.Kind.Settings.Where(f => f is { Required: true, Type: FieldType.Secret }))
                if (await connection.SecretAsync(field.Name, ct) is null) return $"{field.Label} is not set.";
            if (!_tests.TryGetValue(view.Kind, out var test)) return $"This installation takes nothing from {connection.Kind.Title}.";
            await test.TestAsync(connection, limit.Token);
            return null;
        }
        catch (IngestionException e)
        {
            return e.Message;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "The program may not read what is there.";
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return $"It did not answer within {Patience.TotalSeconds:0} seconds.";
        }
    }
}
