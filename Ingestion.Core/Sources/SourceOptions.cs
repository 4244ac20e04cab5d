using Microsoft.Extensions.Options;

namespace Ingestion.Core.Sources;

/// <summary>What sources may reach and cost: the section <c>Ingestion:Sources</c>.</summary>
public sealed class SourceOptions
{
    public const string Section = "Ingestion:Sources";

    /// <summary>Directories of the server that connections may take files from, absolute; empty for none.</summary>
    public string[] Roots { get; set; } = [];

    /// <summary>True: files with several names (hard links) are taken. One of the names may lie outside of the roots.</summary>
    public bool AllowHardLinks { get; set; }

    /// <summary>Entries of one archive, those of archives inside counted each by its own.</summary>
    public int ZipMaxEntries { get; set; } = 10_000;

    /// <summary>Largest archive, in MiB.</summary>
    public int ZipMaxSizeMb { get; set; } = 2048;

    /// <summary>Largest share of a source that may be missing from a listing before nothing of it is marked, 0 to 1.</summary>
    public double MaxMissingShare { get; set; } = 0.3;

    /// <summary>How long a crawl works before other listings get a turn.</summary>
    public TimeSpan CrawlTurn { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Addresses with one path and different queries that are followed; more are a trap.</summary>
    public int CrawlMaxVariants { get; set; } = 100;

    /// <summary>False: directories that are watched are looked at by the clock alone, as where the system does not tell of changes.</summary>
    public bool WatchEvents { get; set; } = true;

    /// <summary>How long nothing must change in a directory that is watched before a sync begins.</summary>
    public TimeSpan WatchRest { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How often a directory that is watched is looked at whatever was heard of it.</summary>
    public TimeSpan WatchPoll { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Pages fetched at once by one crawl.</summary>
    public int CrawlConcurrency { get; set; } = 8;
}

/// <summary>Refuses settings that could not work, all at once, each message naming its key.</summary>
public sealed class SourceOptionsValidator : IValidateOptions<SourceOptions>
{
    public ValidateOptionsResult Validate(string? name, SourceOptions options)
    {
        var errors = new List<string>();
        void Require(bool holds, string key, string rule)
        {
            if (!holds) errors.Add($"{SourceOptions.Section}:{key} {rule}.");
        }

        Require(options.Roots.All(Path.IsPathFullyQualified), nameof(options.Roots), "must hold absolute paths");
        Require(options.Roots.All(r => !ServerFiles.IsSystem(Path.GetFullPath(r))), nameof(options.Roots), "must not hold /, /proc, /sys, /dev or /run");
        Require(options.ZipMaxEntries is >= 1 and <= 1_000_000, nameof(options.ZipMaxEntries), "must be from 1 to 1000000");
        Require(options.ZipMaxSizeMb is >= 1 and <= 1 << 20, nameof(options.ZipMaxSizeMb), "must be from 1 to 1048576 MiB");
        Require(options.MaxMissingShare is >= 0 and <= 1, nameof(options.MaxMissingShare), "must be from 0 to 1");
        Require(options.CrawlTurn > TimeSpan.Zero, nameof(options.CrawlTurn), "must be longer than zero");
        Require(options.CrawlMaxVariants is >= 1 and <= 1_000_000, nameof(options.CrawlMaxVariants), "must be from 1 to 1000000");
        Require(options.WatchRest >= TimeSpan.Zero, nameof(options.WatchRest), "must not be negative");
        Require(options.WatchPoll > TimeSpan.Zero, nameof(options.WatchPoll), "must be longer than zero");
        Require(options.CrawlConcurrency is >= 1 and <= 64, nameof(options.CrawlConcurrency), "must be from 1 to 64");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
