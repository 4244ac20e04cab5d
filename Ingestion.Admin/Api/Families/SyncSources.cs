using Ingestion.Core.Pipeline;

namespace Ingestion.Admin.Api.Families;

/// <summary>Which sources a sync takes.</summary>
internal static class SyncSources
{
    /// <summary>Kinds that can be listed by themselves, without somebody naming documents or addresses.</summary>
    public static IReadOnlyList<string> Kinds { get; } =
        [.. SourceTypes.All.Except([SourceTypes.Upload, SourceTypes.Url, SourceTypes.Manifest])];
}
