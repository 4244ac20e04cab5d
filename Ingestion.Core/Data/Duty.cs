using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Ingestion.Core.Data;

/// <summary>Something that is done again and again, once for all processes of this database: the row decides who does it and when.</summary>
public sealed class Duty
{
    public required string Name { get; set; }
    /// <summary>What it is for, in a sentence: a process that serves pages alone knows duties only by their rows.</summary>
    public required string Purpose { get; set; }
    public TimeSpan Interval { get; set; }
    /// <summary>By the database's clock. Whoever asks after it takes the turn and moves it on.</summary>
    public DateTimeOffset NextDue { get; set; }
    public DateTimeOffset? LastStartedAt { get; set; }
    /// <summary>Before <see cref="LastStartedAt"/> while a turn is under way, and where its process died in it.</summary>
    public DateTimeOffset? LastFinishedAt { get; set; }
    /// <summary>Why the last turn failed, in a sentence; null where it went well.</summary>
    public string? LastError { get; set; }
    /// <summary>The process that took the last turn.</summary>
    public string? Worker { get; set; }

    private sealed class Configuration : IEntityTypeConfiguration<Duty>
    {
        public void Configure(EntityTypeBuilder<Duty> e)
        {
            // A turn is two updates a second at most: room for them in place.
            e.ToTable("duty").HasStorageParameter("fillfactor", 10);
            e.HasKey(d => d.Name);
        }
    }
}
