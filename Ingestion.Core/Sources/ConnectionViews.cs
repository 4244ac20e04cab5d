using System.Text.Json;
using System.Text.RegularExpressions;
using Ingestion.Core.Access;

namespace Ingestion.Core.Sources;

/// <summary>A connection as people see it: never its secrets.</summary>
/// <param name="Key">What APIs and documents know it by: <c>gdrive_conn_1</c>.</param>
/// <param name="Settings">The settings of its kind as a JSON object.</param>
/// <param name="CreatedBy">Its owner's account.</param>
public sealed record ConnectionView(long Id, string Key, string Kind, string Name, string Settings, string CreatedBy, DateTimeOffset CreatedAt)
{
    /// <summary>Null while it may be used.</summary>
    public DateTimeOffset? DisabledAt { get; init; }

    /// <summary>The key of the collection that its schedule fills; null without a schedule.</summary>
    public string? Collection { get; init; }

    /// <summary>A cron expression of five fields: minutes, hours, day of month, month, day of week.</summary>
    public string? Schedule { get; init; }

    /// <summary>The IANA zone in which the schedule is meant.</summary>
    public string? ScheduleZone { get; init; }

    public DateTimeOffset? NextRunAt { get; init; }

    /// <summary>What the last turn of the schedule had to say, in a sentence; null where it began a sync.</summary>
    public string? ScheduleNote { get; init; }

    public DateTimeOffset? TestedAt { get; init; }

    /// <summary>What the last test found missing; null where all was well, or it was never tested.</summary>
    public string? TestProblem { get; init; }

    public DateTimeOffset? LastRunAt { get; init; }
}

/// <summary>A connection to be made.</summary>
/// <param name="Settings">Settings and secrets together, as an object by field.</param>
public sealed record NewConnection(string Kind, string Key, string Name, JsonElement? Settings);

/// <summary>What is to be changed of a connection; null leaves it.</summary>
public sealed record ConnectionChange(string? Name = null, JsonElement? Settings = null, bool? Disabled = null);

/// <summary>A connection in use by a connector.</summary>
public sealed class OpenConnection(string tenantId, string key, SourceKind kind, string name, SourceValues settings, SecretBox secrets)
{
    public string TenantId { get; } = tenantId;

    public string Key { get; } = key;

    public SourceKind Kind { get; } = kind;

    public string Name { get; } = name;

    public SourceValues Settings { get; } = settings;

    /// <summary>A secret; null where it is not set. Throws <c>secret_missing</c> where it cannot be opened any more.</summary>
    public async Task<string?> SecretAsync(string field, CancellationToken ct) =>
        await secrets.HasAsync(TenantId, SourceConnections.SecretName(Key, field), ct) ? await secrets.ReadAsync(TenantId, SourceConnections.SecretName(Key, field), ct) : null;
}

/// <summary>The rules of a connection's key.</summary>
public static partial class ConnectionKey
{
    /// <summary>What is wrong with it, as the rest of a sentence; null where nothing is.</summary>
    public static string? Problem(string key) => key == "new" ? "must not be new, which is the address of the form"
        : Key().IsMatch(key) ? null : "must be 1 to 63 lower-case letters, digits, “-” and “_”, beginning with a letter or digit";

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9_-]{0,62}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 200)]
    private static partial Regex Key();
}
