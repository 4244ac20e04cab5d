using Ingestion.Core.Indexing;

namespace Ingestion.Core.Pipeline.Duties;

/// <summary>Puts published files to their contract names where a crash came between publishing and copying.</summary>
public sealed class ExportPublished(PublishedNames names) : IDuty
{
    public string Name => "export";

    public string Purpose => "Copies published files to their contract names where a crash came in between.";

    public TimeSpan Interval => TimeSpan.FromSeconds(30);

    public Task RunAsync(DutyTurn turn, CancellationToken ct) => names.SweepAsync(ct);
}
