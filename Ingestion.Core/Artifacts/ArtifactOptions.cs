using Microsoft.Extensions.Options;

namespace Ingestion.Core.Artifacts;

/// <summary>Where documents' bytes live; the section <c>Ingestion:Artifacts</c>.</summary>
public sealed record ArtifactOptions
{
    public const string Section = "Ingestion:Artifacts";

    /// <summary>The folder that takes new objects; an absolute path.</summary>
    public string Folder { get; set; } = "";

    /// <summary>Folders that were used before and whose objects stay readable; absolute paths.</summary>
    public string[] FormerFolders { get; set; } = [];
}

/// <summary>Refuses folders that depend on where the process was started.</summary>
public sealed class ArtifactOptionsValidator : IValidateOptions<ArtifactOptions>
{
    public ValidateOptionsResult Validate(string? name, ArtifactOptions options)
    {
        var errors = new List<string>();
        if (!Path.IsPathFullyQualified(options.Folder))
            errors.Add($"{ArtifactOptions.Section}:{nameof(options.Folder)} must be an absolute path.");
        if (!options.FormerFolders.All(Path.IsPathFullyQualified))
            errors.Add($"{ArtifactOptions.Section}:{nameof(options.FormerFolders)} must be absolute paths.");
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}
